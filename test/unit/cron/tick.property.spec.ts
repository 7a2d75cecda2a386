import { afterAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compileTicks, type CronSchedule } from '../../../lib/cron/tick.js';
import { expressions, instants, type Place, places } from './schedules.js';
import { firingsOf, tickAmong } from './running-job.js';

const EARLY_MS = 20;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

// A failure prints its seed and path: put here, they run it again. More runs are a matter of patience: 10 to 100 ms each.
const RUNS: fc.Parameters<unknown> = { seed: 20_260_615, numRuns: 25, verbose: fc.VerbosityLevel.Verbose };

const schedule = (cronTime: string, { zone }: Place): CronSchedule => ({ cronTime, ...zone });
const cases = places.chain((place) => fc.tuple(expressions, fc.constant(place), instants(place)));

describe('any expression in any zone, near a change of the clock and away from it', () => {
  // Only `Date.now` is a fake, and a cheap one: it is all that `cron` sees of the time, some hundred thousand times.
  const realNow = Date.now;
  const setNow = (nowMs: number): void => {
    Date.now = () => nowMs;
  };
  afterAll(() => {
    Date.now = realNow;
  });

  it('P8: the tick is the latest firing of a running job, for any replica, early or nearly a period late', async () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    const replica = fc.record({ share, daysOff: fc.integer({ min: -400, max: 400 }) });
    await fc.assert(
      fc.asyncProperty(cases, fc.tuple(replica, replica), async ([cronTime, place, atMs], replicas) => {
        const limitMs = atMs + EARLY_MS;
        const firings = firingsOf(schedule(cronTime, place), [limitMs, limitMs + 5 * MINUTE_MS], setNow);
        for (const { share, daysOff } of replicas) {
          const tickOf = await compileTicks(schedule(cronTime, place));
          // The clock of the system is not to matter.
          setNow(atMs + daysOff * DAY_MS);
          expect(tickOf(atMs)).toEqual(tickAmong(firings, limitMs));
          for (const [n, firing] of firings.slice(0, -1).entries()) {
            const periodMs = (firings[n + 1] ?? NaN) - firing;
            expect(tickOf(firing - EARLY_MS + Math.floor(share * (periodMs - 1)))).toEqual({ atMs: firing, periodMs });
          }
        }
      }),
      RUNS,
    );
  });

  it('P8: a later firing never belongs to an earlier tick, and the following tick is where the period ends', async () => {
    const gaps = fc.array(fc.oneof(fc.nat(5_000), fc.nat(2 * MINUTE_MS), fc.nat(3 * DAY_MS)), {
      minLength: 1,
      maxLength: 3,
    });
    await fc.assert(
      fc.asyncProperty(cases, gaps, async ([cronTime, place, startMs], gapsMs) => {
        const tickOf = await compileTicks(schedule(cronTime, place));
        let firedAtMs = startMs;
        let last = tickOf(firedAtMs);
        for (const gapMs of gapsMs) {
          firedAtMs += gapMs;
          const tick = tickOf(firedAtMs);
          const limitMs = firedAtMs + EARLY_MS;
          expect(tick.atMs).toBeGreaterThanOrEqual(last.atMs);
          expect(tick.atMs).toBeLessThanOrEqual(limitMs);
          expect(tick.atMs + tick.periodMs).toBeGreaterThan(limitMs);
          expect(tickOf(tick.atMs)).toEqual(tick);
          expect(tickOf(tick.atMs + tick.periodMs).atMs).toBe(tick.atMs + tick.periodMs);
          last = tick;
        }
      }),
      RUNS,
    );
  });
});
