import { describe, expect, it } from '@jest/globals';
import { parseInfo } from '../../../lib/redis/server-info.js';

describe('what INFO says of a server', () => {
  // A quarantine is counted from the start of the server: with a second too much a lock of a second could be given twice.
  it.each([
    ['uptime_in_seconds:1', 0],
    ['uptime_in_seconds:0', 0],
    ['uptime_in_seconds:61', 60_000],
    ['uptime_in_seconds:-5', 0],
    ['uptime_in_seconds:soon', 0],
    ['', 0],
  ])('P12: is not taken for more time than the server may have been up: %s', (text, uptimeMs) => {
    expect(parseInfo(text).uptimeMs).toBe(uptimeMs);
  });
});
