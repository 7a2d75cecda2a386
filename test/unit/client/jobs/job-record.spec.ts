import { expect, it } from '@jest/globals';
import { toJobRecord } from '../../../../lib/client/jobs/job-record.js';
import type { Vote } from '../../../../lib/core/vote.js';

const HOUR_MS = 3_600_000;

it('P20: a pause that has ended covers no tick of after its end, also where the clock of a server is hours ahead', () => {
  const wallMs = Date.UTC(2026, 10, 28, 12);
  const [nowMs, endedMs] = [wallMs + 5 * HOUR_MS, wallMs + 5 * HOUR_MS - 60_000];
  const votes = [0, 1, 2].map((position): Vote => {
    const register = `1024 ${endedMs} 0 -\n`;
    return { server: `node-${position}`, position, outcome: 'read', register, nowMs, holder: undefined };
  });
  expect(toJobRecord(votes, wallMs)).toEqual({
    version: 1024,
    pausedLeftMs: 0,
    reason: '',
    coveredMs: wallMs - 60_000,
    runs: [],
  });
});
