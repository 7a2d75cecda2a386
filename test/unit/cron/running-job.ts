import { jest } from '@jest/globals';
import { CronTime } from 'cron';
import type { CronSchedule, Tick } from '../../../lib/cron/tick.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

// From how long before: an expression that fires often is not walked for days, a rare one has fired by then.
const HEAD_STARTS_MS = [3 * HOUR_MS, 40 * HOUR_MS, 40 * DAY_MS, 400 * DAY_MS, 9 * 366 * DAY_MS];

/** The `CronTime` of a job, made with the arguments that a `CronJob` gives it. */
export function cronTimeOf({ cronTime, timeZone, utcOffset }: CronSchedule): CronTime {
  const of = CronTime as new (source: unknown, timeZone: unknown, utcOffset: unknown) => CronTime;
  return new of(cronTime, timeZone, utcOffset);
}

/**
 * When a job fires that has been running since long before `sinceMs`: each time it asks `sendAt` when to fire next, at the
 * very moment at which it fires. From the last firing not after `sinceMs` to the first one after `untilMs`. Sets the
 * (fake) clock.
 */
export function firingsOf(schedule: CronSchedule, sinceMs: number, untilMs: number): number[] {
  const job = cronTimeOf(schedule);
  const nextAfter = (nowMs: number): number => {
    jest.setSystemTime(nowMs);
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
