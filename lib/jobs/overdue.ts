import { toMs } from '../client/options/check.js';
import { spreadBoundMs } from '../decorators/delays.js';
import type { Job } from './job.js';
import type { JobRecord } from './register.js';

const SHORTEST_GRACE_MS = 5000;
const LONGEST_GRACE_MS = 60_000;

export interface Overdue {
  readonly tickMs: number;
  readonly byMs: number;
}

/** The newest tick of a job that should have run by now and of which no run is known, nor a later one. */
export function overdueOf(job: Job, record: JobRecord, nowMs: number): Overdue | undefined {
  const { runs, coveredMs, pausedLeftMs } = record;
  if (pausedLeftMs > 0 || runs.some(({ outcome }) => outcome === 'running')) return undefined;
  const tickMs = dueTick(job, nowMs, coveredMs);
  if (tickMs === undefined || coveredMs >= tickMs || job.ranMs >= tickMs) return undefined;
  // A run that is younger, by hand for example, does not show that the job existed at that tick. Servers without any have perhaps lost their data.
  // Other work may keep a job from its key that has never run: only of one that has does a held lock tell of a run.
  const isElsewhere = job.ranMs > -Infinity && job.settledMs >= tickMs;
  const isMissed = tickMs > job.sinceMs && !isElsewhere;
  const isKnown = coveredMs > 0 || runs.some(({ startedAtMs }) => startedAtMs < tickMs);
  return isMissed || (isKnown && !job.hasNewSchedule(record)) ? { tickMs, byMs: nowMs - tickMs } : undefined;
}

/** How long after a tick its run may begin, and nothing is wrong. */
export function graceMs({ method }: Job, periodMs: number): number {
  const { jitter = 0, wait = 0 } = method.options;
  const waitMs = wait === Infinity ? 0 : toMs('wait', wait);
  const byPeriodMs = Math.min(LONGEST_GRACE_MS, periodMs / 4);
  const unreachableWaitMs = Math.max(waitMs, byPeriodMs);
  const delaysMs = spreadBoundMs(method, periodMs) + toMs('jitter', jitter) + unreachableWaitMs;
  return Math.max(SHORTEST_GRACE_MS, byPeriodMs) + delaysMs;
}

/** The newest tick whose grace is over: of ticks that follow one another quickly it is not the newest of all. */
function dueTick(job: Job, nowMs: number, coveredMs: number): number | undefined {
  const newest = job.tickAt(nowMs);
  if (newest === undefined) return undefined;
  const { atMs, periodMs } = newest;
  if (nowMs - atMs >= graceMs(job, periodMs)) return atMs;
  // Mostly the newest has run, and the calendar need not be asked for those before it: to look back is dear.
  return coveredMs >= atMs ? undefined : job.tickAt(nowMs - graceMs(job, periodMs))?.atMs;
}
