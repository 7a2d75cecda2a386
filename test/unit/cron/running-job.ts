import type { CronTimeLike } from '../../../lib/cron/cron-time.js';
import type { Tick } from '../../../lib/cron/tick.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

// From how long before: an expression that fires often is not walked for days, a rare one has fired by then.
const HEAD_STARTS_MS = [
  2.5 * HOUR_MS,
  12 * HOUR_MS,
  2 * DAY_MS,
  8 * DAY_MS,
  32 * DAY_MS,
  370 * DAY_MS,
  9 * 366 * DAY_MS,
];

/**
 * When a job fires that has been running since long before `sinceMs`: from the last firing not after `sinceMs` to the
 * first one after `untilMs`. As a `CronJob` does, it asks `sendAt` when to fire next at the very moment at which it fires:
 * `setNow` sets the clock that `Date.now` shows.
 */
export function firingsOf(
  job: CronTimeLike,
  [sinceMs, untilMs]: [number, number],
  setNow: (nowMs: number) => void,
): number[] {
  const nextAfter = (nowMs: number): number => {
    setNow(nowMs);
    return job.sendAt().toMillis();
  };
  const headStart = HEAD_STARTS_MS.find((headMs) => nextAfter(sinceMs - headMs) <= sinceMs) ?? Infinity;

  const firings: number[] = [];
  for (let nowMs = nextAfter(sinceMs - headStart); ; nowMs = nextAfter(nowMs)) {
    if (nowMs <= sinceMs) firings.length = 0;
    firings.push(nowMs);
    if (nowMs > untilMs) return firings;
  }
}

/** The tick of the last firing not after `limitMs`, and the one after it. */
export function tickAmong(firings: number[], limitMs: number): Tick {
  const following = firings.findIndex((atMs) => atMs > limitMs);
  const [atMs, nextMs] = [firings[following - 1], firings[following]];
  if (atMs === undefined || nextMs === undefined) throw new RangeError('These firings do not reach around the limit.');
  return { atMs, periodMs: nextMs - atMs };
}
