import { afterAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ticksOf, type TickOf } from '../../../lib/cron/tick.js';
import { CRON_VERSIONS, type CronTimeOf, type Schedule } from '../../support/cron-times.js';
import { expressions, instants, type Place, places } from './schedules.js';
import { firingsOf, tickAmong } from './running-job.js';

const EARLY_MS = 20;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

// A failure prints its seed and path: put here, they run it again. A run takes 10 to 100 ms; `npm run test:long` has more.
const numRuns = Number(process.env.REDLOCK_RUNS ?? 6);
const RUNS: fc.Parameters<unknown> = { seed: 20_260_615, numRuns, verbose: fc.VerbosityLevel.Verbose };

const schedule = (cronTime: string, { zone }: Place): Schedule => ({ cronTime, ...zone });
const cases = places.chain((place) => fc.tuple(expressions, fc.constant(place), instants(place)));

describe.each(CRON_VERSIONS)(
  'any expression in any zone, near a change of the clock and away from it: %s',
  (_, cronTimeOf: CronTimeOf) => {
    const compile = (given: Schedule): TickOf => ticksOf(cronTimeOf(given));
    // Only `Date.now` is a fake, and a cheap one: it is all that `cron` sees of the time, some hundred thousand times.
    const realNow = Date.now;
    const setNow = (nowMs: number): void => {
      Date.now = () => nowMs;
    };
    afterAll(() => {
      Date.now = realNow;
    });

    it('P8: the tick is the latest firing of a running job, for any replica, early or nearly a period late', () => {
      const share = fc.double({ min: 0, max: 1, noNaN: true });
      const replica = fc.record({ share, daysOff: fc.integer({ min: -400, max: 400 }) });
      fc.assert(
        fc.property(cases, fc.tuple(replica, replica), ([cronTime, place, atMs], replicas) => {
          const limitMs = atMs + EARLY_MS;
          const firings = firingsOf(cronTimeOf(schedule(cronTime, place)), [limitMs, limitMs + 5 * MINUTE_MS], setNow);
          for (const { share, daysOff } of replicas) {
            const tickOf = compile(schedule(cronTime, place));
            // The clock of the system is not to matter.
            setNow(atMs + daysOff * DAY_MS);
            expect(tickOf(atMs)).toEqual(tickAmong(firings, limitMs));
            for (const [n, firing] of firings.slice(0, -1).entries()) {
              const periodMs = (firings[n + 1] ?? NaN) - firing;
              expect(tickOf(firing - EARLY_MS + Math.floor(share * (periodMs - 1)))).toEqual({
                atMs: firing,
                periodMs,
              });
            }
          }
        }),
        RUNS,
      );
    });

    it('P8: a later firing never belongs to an earlier tick, and the following tick is where the period ends', () => {
      const gaps = fc.array(fc.oneof(fc.nat(5_000), fc.nat(2 * MINUTE_MS), fc.nat(3 * DAY_MS)), {
        minLength: 1,
        maxLength: 3,
      });
      fc.assert(
        fc.property(cases, gaps, ([cronTime, place, startMs], gapsMs) => {
          const tickOf = compile(schedule(cronTime, place));
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

    it('P8: two replicas, early or late, agree on one tick after the other through a change of the clock', () => {
      const changes = places
        .filter(({ zone }) => zone.timeZone !== undefined)
        .chain((place) => fc.tuple(fc.constant(place), fc.constantFrom(...place.changes)));
      // At a time of day which that day has twice, or not at all, or nearly so.
      const minutesOff = fc.integer({ min: -70, max: 130 });
      // From 20 ms before the time, by hours or to the end of the period, to just short of 20 ms before the next one.
      const late = fc.oneof(fc.constantFrom(0, 1), fc.nat(3 * HOUR_MS), fc.nat(2 * DAY_MS));
      const lates = fc.tuple(fc.infiniteStream(late), fc.infiniteStream(late));
      fc.assert(
        fc.property(minutesOff, changes, lates, (minutes, [place, change], [one, other]) => {
          const changeMs = Date.parse(change);
          const cronTime = dailyAt(changeMs + minutes * MINUTE_MS, place);
          const span: [number, number] = [changeMs - 4 * HOUR_MS, changeMs + 27 * HOUR_MS];
          const firings = firingsOf(cronTimeOf(schedule(cronTime, place)), span, setNow);
          const firedAt = (firing: number, nextMs: number, lateMs: IteratorResult<number>): number =>
            firing - EARLY_MS + Math.min(Number(lateMs.value), nextMs - firing - 1);
          // One runs all along, and the other is started anew before each firing.
          const tickOf = compile(schedule(cronTime, place));
          const seen: number[] = [];
          for (const [n, firing] of firings.slice(0, -1).entries()) {
            const nextMs = firings[n + 1] ?? NaN;
            const fresh = compile(schedule(cronTime, place));
            const tick = tickOf(firedAt(firing, nextMs, one.next()));
            expect(fresh(firedAt(firing, nextMs, other.next()))).toEqual(tick);
            seen.push(tick.atMs);
          }
          expect(seen).toEqual(firings.slice(0, -1));
        }),
        { ...RUNS, numRuns: 2 * numRuns },
      );
    });
  },
);

/** Each day at the time that the clocks of the place show at this instant. */
function dailyAt(atMs: number, { zone }: Place): string {
  const format = new Intl.DateTimeFormat('en', {
    timeZone: zone.timeZone ?? 'UTC',
    hour: 'numeric',
    minute: 'numeric',
    hourCycle: 'h23',
  });
  const [hour, minute] = format.format(atMs).split(':').map(Number);
  return `${minute} ${hour} * * *`;
}
