import { describe, expect, it } from '@jest/globals';
import { noneFound } from '../../../lib/cli/gaps.js';
import type { ScannedServer } from '../../../lib/client/lock-list.js';

const server = (state: ScannedServer['state']): ScannedServer => ({ server: 's', state });

describe('an empty list', () => {
  it.each([
    [['scanned', 'cut', 'scanned'], 'No jobs.'],
    [['scanned', 'failed', 'scanned'], 'No jobs, on 2 of 3 servers.'],
    [['failed'], 'No jobs, on 0 of 1 servers.'],
  ] as const)('says how many servers were searched, where not all were: %j', (states, line) => {
    expect(noneFound('jobs', { servers: states.map(server) })).toBe(line);
  });
});
