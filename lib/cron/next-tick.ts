import type { CronTimeLike, Zone } from './cron-time.js';
import type { NextTick } from './latest-tick.js';

const SECOND_MS = 1_000;
const DAY_MS = 86_400_000;

// 400 Gregorian years are a whole number of weeks: the same dates fall on the same days of the week.
const CALENDAR_CYCLE_MS = 146_097 * DAY_MS;

/**
 * The calendar of a job, as its own `CronTime` has it.
 *
 * @throws the error of the `cron` package, for a bad zone or offset and for a date that never comes
 */
export function nextTickOf(cronTime: CronTimeLike): NextTick {
  // `sendAt` is what a `CronJob` starts with: it settles the zone.
  const { zone } = cronTime.sendAt();
  return (afterMs) => nextOnChain(cronTime, zone, afterMs);
}

/**
 * The next tick of the chain that a job is on which has been running all along.
 *
 * After a change of the clock `cron` answers differently to one who asks from within the changed stretch: where the hour
 * from 2 to 3 comes twice, a job at 02:30 that ran the first time is not due again, but a process that was started in
 * between is told that it is. So ask from before the change first: what that finds is the first tick after the change,
 * and from there on every answer is on the chain.
 */
function nextOnChain(cronTime: CronTimeLike, zone: Zone, afterMs: number): number {
  // Ticks are whole seconds, and versions of `cron` differ in what they make of a fraction at a change of the clock.
  const secondMs = Math.floor(afterMs / SECOND_MS) * SECOND_MS;
  const changeMs = lastSecondBeforeChange(zone, secondMs);
  const firstMs = changeMs === undefined ? -Infinity : nextFrom(cronTime, zone, changeMs);
  return firstMs > secondMs ? firstMs : nextFrom(cronTime, zone, secondMs);
}

/** The last second before the clock changed, if it did so within the last day: no change is larger. */
function lastSecondBeforeChange(zone: Zone, secondMs: number): number | undefined {
  const offset = zone.offset(secondMs);
  if (zone.offset(secondMs - DAY_MS) === offset) return undefined;
  let seconds = 1;
  for (let upTo = DAY_MS / SECOND_MS; seconds < upTo;) {
    const middle = Math.floor((seconds + upTo) / 2);
    if (zone.offset(secondMs - middle * SECOND_MS) === offset) seconds = middle + 1;
    else upTo = middle;
  }
  return secondMs - seconds * SECOND_MS;
}

/**
 * What `cron` answers at the instant `startMs` itself, and, whatever it answers, something later than that: where it
 * finds nothing later, ask from ever further on.
 */
function nextFrom(cronTime: CronTimeLike, zone: Zone, startMs: number): number {
  let askedMs = startMs;
  for (let stepMs = SECOND_MS; ; stepMs *= 2) {
    const nextMs = asked(cronTime, zone, askedMs);
    if (nextMs > startMs) return nextMs;
    askedMs = startMs + stepMs;
  }
}

/**
 * `getNextDateFrom`, made a function of its arguments alone.
 *
 * Behind it `luxon` reads the system's clock: a time of day that comes twice is taken for the one whose offset is in
 * force *now*. A job asks when `startMs` is now; we ask later, and another replica later still. So ask in the same
 * calendar 400 years earlier, in a zone that translates: there the clock of the system cannot be mistaken for an instant
 * of the question, and gets the answer that it had at `startMs`.
 */
function asked(cronTime: CronTimeLike, zone: Zone, startMs: number): number {
  const shiftedMs = startMs - CALENDAR_CYCLE_MS;
  const offset = zone.offset(startMs);
  const earlier = Object.create(zone, {
    offset: {
      value: (atMs: number) =>
        Math.abs(atMs - shiftedMs) > CALENDAR_CYCLE_MS / 2 ? offset : zone.offset(atMs + CALENDAR_CYCLE_MS),
    },
    // Neither the zone itself nor anything that is cached for it.
    type: { value: 'translated' },
    equals: { value: () => false },
  }) as Zone;
  return cronTime.getNextDateFrom(new Date(shiftedMs), earlier).toMillis() + CALENDAR_CYCLE_MS;
}
