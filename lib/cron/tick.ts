import { latestTick, type Tick } from './latest-tick.js';
import { compileNextTick } from './next-tick.js';

export type { Tick } from './latest-tick.js';

/** What `@Cron` was given: the metadata of `@nestjs/schedule`. */
export interface CronSchedule {
  /** A cron expression of five or six fields, a preset such as `@daily`, or one instant (a `Date`, a luxon `DateTime`). */
  cronTime: string | Date | { toJSDate(): Date };
  /** An IANA zone. Default: the system's zone. Excludes `utcOffset`. */
  timeZone?: string | null;
  /** The zone as minutes east of UTC. `cron` takes a string only where it is such a number, and refuses `'+05:30'`. */
  utcOffset?: number | string | null;
}

/** From the wall clock (epoch ms) at which a timer fired to the tick that this run belongs to. */
export type TickOf = (firedAtMs: number) => Tick;

// A timer may fire a little before its time: Node rounds, and a clock that is being set back runs behind the timer. This
// stays far below a quarter of the shortest period, which is a second.
const EARLY_MS = 20;

/**
 * Compiles a schedule into the function that says to which tick a run belongs (promise P8).
 *
 * The tick is the latest scheduled instant that is not after the firing, give or take 20 ms: the same on every replica,
 * whether its timer fired a few ms early or nearly a period late. The scheduled instants are those at which a `CronJob`
 * that has been running all along fires, also around changes of the clock. The function reads no clock.
 *
 * @throws the error of the `cron` package, for an expression that does not parse, an unknown zone, a bad offset or a date
 * that never comes; a `RangeError` for an invalid `Date`.
 */
export async function compileTicks({ cronTime, timeZone, utcOffset }: CronSchedule): Promise<TickOf> {
  if (typeof cronTime !== 'string') return onlyTick('toJSDate' in cronTime ? cronTime.toJSDate() : cronTime);

  const nextTick = await compileNextTick(cronTime, timeZone, utcOffset);
  let last: Tick | undefined;
  return (firedAtMs) => {
    const limitMs = firedAtMs + EARLY_MS;
    // Mostly this is the last answer's tick again, or the one that follows it: no question to the calendar, or one.
    if (last !== undefined && !covers(last, limitMs)) last = following(last);
    if (last === undefined || !covers(last, limitMs)) last = latestTick(nextTick, limitMs);
    return last;
  };

  function following({ atMs, periodMs }: Tick): Tick {
    const nextMs = atMs + periodMs;
    return { atMs: nextMs, periodMs: nextTick(nextMs) - nextMs };
  }
}

function covers({ atMs, periodMs }: Tick, limitMs: number): boolean {
  return limitMs >= atMs && limitMs < atMs + periodMs;
}

function onlyTick(date: Date): TickOf {
  const atMs = date.getTime();
  if (Number.isNaN(atMs)) throw new RangeError('@Cron was given an invalid Date.');
  const tick: Tick = { atMs, periodMs: Infinity };
  return () => tick;
}
