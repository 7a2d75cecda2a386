import type { CronTimeLike, Instant } from './cron-time.js';
import { latestTick, type Tick } from './latest-tick.js';
import { nextTickOf } from './next-tick.js';

export type { Tick } from './latest-tick.js';

/** From the wall clock (epoch ms) at which a timer fired to the tick that this run belongs to. */
export type TickOf = (firedAtMs: number) => Tick;

// A timer may fire a little before its time: Node rounds, and a clock that is being set back runs behind the timer. This
// stays far below a quarter of the shortest period, which is a second.
const EARLY_MS = 20;

const known = new WeakMap<CronTimeLike, TickOf>();

/**
 * The function that says to which tick a run of a job belongs (promise P8), from the `CronTime` that fires the job.
 *
 * The tick is the latest scheduled instant that is not after the firing, give or take 20 ms: the same on every replica,
 * whether its timer fired a few ms early or nearly a period late. The scheduled instants are those at which a `CronJob`
 * that has been running all along fires, also around changes of the clock. The function reads no clock.
 *
 * @throws the error of the `cron` package, where it finds no next date
 */
export function ticksOf(cronTime: CronTimeLike): TickOf {
  let ticks = known.get(cronTime);
  if (ticks === undefined) known.set(cronTime, (ticks = compileTicks(cronTime)));
  return ticks;
}

function compileTicks(cronTime: CronTimeLike): TickOf {
  if (cronTime.realDate) return onlyTick((cronTime.source as Instant).toMillis());

  const nextTick = nextTickOf(cronTime);
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

function onlyTick(atMs: number): TickOf {
  const tick: Tick = { atMs, periodMs: Infinity };
  return () => tick;
}
