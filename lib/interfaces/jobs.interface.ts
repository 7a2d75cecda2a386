import type { RunTrigger } from '../core/ports/job-note.js';

export type { RunTrigger } from '../core/ports/job-note.js';

/**
 * How a run of a job stands. `lost`: its lock was lost before it ended. `died`: its replica stopped before it ended, and its lock has
 * expired since.
 *
 * @publicApi
 */
export type RunOutcome = 'running' | 'succeeded' | 'failed' | 'lost' | 'died';

/**
 * One run of a job, as the servers have recorded it.
 *
 * @publicApi
 */
export interface JobRun {
  /** The name of the job. */
  readonly job: string;
  /** What has made it: the schedule, a call by hand, a tick that no replica ran in time, or a tick whose first run died. */
  readonly trigger: RunTrigger;
  /** The instant of the schedule that it stands for; none for a call by hand and for `@Interval`. */
  readonly tick?: Date;
  /** The replica: `hostname:pid`, or the `owner` of the module. */
  readonly owner: string;
  /** By the clock of that replica. */
  readonly startedAt: Date;
  /** By the clock of that replica; none while it runs, and where it died. */
  readonly endedAt?: Date;
  readonly outcome: RunOutcome;
  /** What it failed with, at most 200 characters. */
  readonly error?: string;
  /** Larger than that of every earlier run of this lock. */
  readonly fencingToken: number;
}

/**
 * A job: a scheduled method with `@WithLock`.
 *
 * @publicApi
 */
export interface JobStatus {
  /** Its name: the option `job`, by default the key (several keys are joined by ", ", in alphabetical order). */
  readonly job: string;
  /** The name of the `RedlockModule` that locks it, where it has one. */
  readonly instance?: string;
  /** `Class.method`. */
  readonly method: string;
  /** The cron expression; `every 30000 ms` for an interval, `once` for a `@Timeout` and a job with one date. */
  readonly schedule: string;
  readonly timeZone?: string;
  /** When its timer on this replica fires next; none where the scheduler has stopped it, and for intervals. */
  readonly nextTick?: Date;
  /** The run that goes on now, on whichever replica. */
  readonly running?: JobRun;
  /** The latest run that has ended, or has died. */
  readonly lastRun?: JobRun;
  /** Set while it is paused; `until` is missing where it is paused until it is resumed. */
  readonly paused?: { readonly until?: Date; readonly reason?: string };
  /** The tick that should have run by now and has not, where there is one: the schedule is behind. */
  readonly overdue?: { readonly tick: Date; readonly byMs: number };
  /** Why its register could not be read, where that is so. `running`, `lastRun`, `paused` and `overdue` are missing then. */
  readonly unknown?: string;
}
