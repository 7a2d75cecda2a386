import { describe, expect, it } from '@jest/globals';
import type { JobRecord } from '../../../lib/client/jobs/job-record.js';
import type { Job } from '../../../lib/jobs/job.js';
import { overdueOf } from '../../../lib/jobs/overdue.js';

const TICK_MS = 60_000_000;

/** A job of a minute, whose last tick was at TICK_MS, and of which this replica knows since then. */
const job = (sinceMs: number): Job =>
  ({
    tickAt: () => ({ atMs: TICK_MS, periodMs: 60_000 }),
    method: { options: { spread: 0 } },
    settledMs: -Infinity,
    hasNewSchedule: () => false,
    sinceMs,
  }) as unknown as Job;

const NEW = { runs: [], coveredMs: 0, pausedLeftMs: 0 } as unknown as JobRecord;

describe('P20: a job that is new', () => {
  it('has missed no tick of before the application was there, nor the one in the instant of its start', () => {
    const nowMs = TICK_MS + 59_000;
    expect(overdueOf(job(TICK_MS + 1), NEW, nowMs)).toBeUndefined();
    expect(overdueOf(job(TICK_MS), NEW, nowMs)).toBeUndefined();
    expect(overdueOf(job(TICK_MS - 1), NEW, nowMs)).toEqual({ tickMs: TICK_MS, byMs: 59_000 });
  });

  it('has missed none either where it was run by hand since, but where an older run shows that it was there', () => {
    const nowMs = TICK_MS + 59_000;
    const run = (startedAtMs: number): JobRecord['runs'][number] =>
      ({ outcome: 'succeeded', trigger: 'manual', tickMs: 0, startedAtMs }) as JobRecord['runs'][number];
    const overdue = (...runs: JobRecord['runs']): unknown => overdueOf(job(nowMs - 1000), { ...NEW, runs }, nowMs);
    expect(overdue(run(TICK_MS + 1))).toBeUndefined();
    expect(overdue(run(TICK_MS))).toBeUndefined();
    expect(overdue(run(TICK_MS + 1), run(TICK_MS - 1))).toEqual({ tickMs: TICK_MS, byMs: 59_000 });
  });
});
