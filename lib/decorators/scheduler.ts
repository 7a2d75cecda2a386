import { newMoment, runAsFiring } from './firing.js';
import { isOneOff } from './one-off.js';
import type { CronSchedule } from './trigger.js';
import type { CronTimeLike } from '../cron/cron-time.js';

type Target = (this: unknown, ...args: unknown[]) => unknown;

/** What this package uses of a `CronJob`. */
export interface CronJobLike {
  readonly cronTime: CronTimeLike;
  /** Whether its timer runs. */
  readonly isActive?: boolean;
  /** The same, in `cron` 3. */
  readonly running?: boolean;
}

/** A `CronJob` as the scheduler has mounted it. */
interface Job extends CronJobLike {
  lastDate(): Date | null | undefined;
}

/** A job of `@Cron`, as the scheduler keeps it. */
export interface CronEntry {
  target: Target;
  /** The metadata of the method, the very object. */
  readonly options: CronSchedule;
  /** The job, once it is mounted. */
  readonly ref?: Job;
}

interface TimerEntry {
  target: Target;
  readonly timeout: number;
}

/**
 * What mounts the jobs of all decorated methods when the application starts: the `SchedulerOrchestrator` of
 * `@nestjs/schedule` 5, 6 and 12. It is found by its shape, because that package is optional.
 */
export interface Scheduler {
  readonly cronJobs: Record<string, CronEntry>;
  readonly intervals: Record<string, TimerEntry>;
  readonly timeouts: Record<string, TimerEntry>;
  onApplicationBootstrap(): void;
}

export interface SchedulerObserver {
  onMounted(jobs: readonly CronEntry[]): void;
  /** What the boot fails with, instead of the error with which the job could not be mounted. */
  toError(job: CronEntry, error: unknown): unknown;
}

const watched = new WeakSet<Scheduler>();

export function isScheduler(value: object): value is Scheduler {
  // Nothing of a provider is asked that may be a getter of its own.
  if (!('addCron' in value)) return false;
  const { cronJobs, intervals, timeouts, onApplicationBootstrap } = value as Partial<Scheduler>;
  const hasLists = [cronJobs, intervals, timeouts].every((list: unknown) => typeof list === 'object' && list !== null);
  return hasLists && typeof onApplicationBootstrap === 'function';
}

/** Whether this is the list of running jobs, which every version of the scheduler has. */
export function isSchedulerRegistry(value: object): boolean {
  return 'addCronJob' in value && 'addInterval' in value && 'getCronJobs' in value;
}

/**
 * From now on the scheduler tells the methods that it calls that it is the scheduler which calls them. To be called
 * before its jobs are mounted. A scheduler that is watched already is left as it is.
 */
export function watchScheduler(scheduler: Scheduler, observer: SchedulerObserver): void {
  if (watched.has(scheduler)) return;
  watched.add(scheduler);
  const mount = scheduler.onApplicationBootstrap.bind(scheduler);
  scheduler.onApplicationBootstrap = () => {
    const jobs = Object.values(scheduler.cronJobs);
    const timers = [...Object.values(scheduler.intervals), ...Object.values(scheduler.timeouts)];
    if (isOneOff()) for (const each of [...jobs, ...timers]) each.target = () => undefined;
    for (const job of jobs) job.target = cronTarget(job);
    for (const [name, timer] of Object.entries(scheduler.intervals))
      timer.target = timerTarget('interval', name, timer);
    for (const [name, timer] of Object.entries(scheduler.timeouts)) timer.target = timerTarget('timeout', name, timer);
    try {
      mount();
    } catch (error) {
      const failed = jobs.find(({ ref }) => ref === undefined);
      throw failed === undefined ? error : observer.toError(failed, error);
    }
    observer.onMounted(jobs);
  };
}

/**
 * Before a `CronJob` fires because of its timer, it notes the time as its last date, as a new object. `job.fireOnTick()`
 * called by hand does not, and is no firing.
 *
 * A `CronJob` calls its target as a method of itself. It may do so before the scheduler has got hold of it: where its time
 * passes while it is being made, it fires from within its constructor.
 */
function cronTarget(job: CronEntry): Target {
  const { target } = job;
  let seen: Date | null | undefined;
  let sameTurn = false;
  return function (this: unknown, ...args) {
    const ref = job.ref ?? (isJob(this) ? this : undefined);
    const lastDate = ref?.lastDate() ?? undefined;
    // A job that has missed its next time while it started its timer fires for both at once, with one last date.
    if (ref === undefined || lastDate === undefined || (lastDate === seen && !sameTurn)) return target(...args);
    seen = lastDate;
    sameTurn = true;
    void Promise.resolve().then(() => (sameTurn = false));
    const { cronTime } = ref;
    const firing = { ...newMoment(), kind: 'cron', schedule: job.options, cronTime } as const;
    return runAsFiring(firing, () => target(...args));
  };
}

function isJob(value: unknown): value is Job {
  return typeof value === 'object' && value !== null && 'cronTime' in value && 'lastDate' in value;
}

function timerTarget(kind: 'interval' | 'timeout', name: string, { target, timeout: everyMs }: TimerEntry): Target {
  return (...args) => runAsFiring({ ...newMoment(), kind, name, everyMs }, () => target(...args));
}
