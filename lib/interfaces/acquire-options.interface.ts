import type { Tick } from '../cron/tick.js';
import type { Duration } from './duration.type.js';

/**
 * How to wait for a lock, and how to keep it.
 *
 * @publicApi
 */
export interface AcquireOptions {
  /**
   * How long to keep trying. 0 is one decision: won, held by somebody else, or unreachable; a vote that is split between
   * several who came at the same time is settled even then. `Infinity` only together with `signal`.
   *
   * Default: the `wait` of the module.
   */
  wait?: Duration;

  /**
   * A second bound, in rounds after the first: in each, every server is asked once. The rounds that settle a split vote count, too, so
   * with 0 it is not settled. Default: no bound but `wait`.
   */
  maxRetries?: number;

  /** Cancels the waiting: the call rejects with the signal's own reason. It does not affect a lock that was granted. */
  signal?: AbortSignal;

  /**
   * Extend the lock by itself for as long as it is held. Default: on in `withLock` and `@WithLock`, off in `acquire` and
   * `tryAcquire`.
   */
  autoExtend?: boolean;

  /**
   * Keep others out for at least this long after the grant, even when the work is done earlier. At most the ttl, because the key is free
   * after that when its holder dies. Default: 0.
   */
  minHold?: Duration;

  /**
   * So long after it was handed out the lock is over: it is not extended beyond that, and its signal aborts. For work that may hang.
   * Default: no end.
   */
  maxHold?: Duration;

  /** Whether the grant gets a fencing token. Default: the `fencing` of the module. */
  fencing?: boolean;

  /**
   * The tick of a schedule that this run belongs to: a `Date`, or milliseconds since 1970. It is claimed together with the
   * lock, under the name of the job, and stays claimed when the lock is released. Once claimed the tick is contended,
   * whatever `wait` says. `@WithLock` works it out from `@Cron` by itself; this is for every other scheduler.
   *
   * The claim is kept for `clockTolerance` and a period on top, because timers can be late. A plain `Date` or number has
   * no period and is remembered for a day; `{ atMs, periodMs }` says it exactly, and while no majority of the servers can
   * be reached such a tick is tried for a quarter of its period, at most a minute.
   *
   * `{ everyMs }` is for a job without fixed ticks: all replicas together run it once in that many milliseconds, counted
   * from the call that ran.
   */
  tick?: Date | number | Tick | { everyMs: number };

  /**
   * The name of the job: its ticks are claimed under this name. Two jobs with the same key and different names exclude each
   * other, and each has its own ticks. Takes what a key takes. Default: the key, or the list of the keys.
   */
  job?: string;
}

/**
 * Options of `withLock`.
 *
 * @publicApi
 */
export interface WithLockCallOptions extends AcquireOptions {
  /**
   * What to do when the lock was not granted after all waiting: reject, or return `undefined`. That is where another process has it or
   * has run the tick, the job is paused, the vote stayed split (possibly no process has the lock), or the application shuts down. Servers
   * that cannot be reached reject in any case. Default: `'throw'`.
   */
  onContended?: 'throw' | 'skip';

  /**
   * Whether a call for keys that its own async context holds runs under the lock that the context has. Without it such a call waits
   * like any other one, because a timer, an event or a queue that is started under a lock inherits its context, and must not slip in.
   * Where that lock does not have all keys, the call rejects with `InvalidOptionsError`. Default: the `reentrant` of the module.
   */
  reentrant?: boolean;
}

/**
 * Options of `@WithLock`.
 *
 * @publicApi
 */
export interface WithLockOptions extends Omit<WithLockCallOptions, 'onContended'> {
  /** The name of the `RedlockModule` to use. Default: the one without a name. */
  instance?: string;

  /**
   * What to do when the lock is not granted, as `onContended` of `withLock` says:
   *
   * - `'skip'`: return `undefined`, with one debug line. Default where the scheduler calls a method with `@Cron`, `@Interval`
   *   or `@Timeout`.
   * - `'wait'`: keep trying for `wait`, then reject with `LockContendedError`. Default for every other call.
   * - `'throw'`: reject with `LockContendedError` at once.
   *
   * An explicit `wait` holds for each of them.
   */
  onContended?: 'skip' | 'wait' | 'throw';

  /**
   * With `@Cron`: each tick of the expression runs on exactly one replica, even if the lock is free again when the next
   * replica fires. Only the scheduler's own call is a tick: the same method called by hand takes the lock, and claims none.
   * Default: true with `@Cron`.
   */
  perTick?: boolean;

  /**
   * With `@Cron` and `perTick`: the newest tick that no replica has run is made up for, if it is not older than this. Exactly one
   * replica runs it, once, when the application has started, and when a majority of the servers can be reached again. Its lock has `late: true`.
   *
   * A tick is never made up for that has run, also where that run failed, nor one that fell into a run of the job or into a pause. Of several
   * missed ticks only the newest is run. A job that is new on the servers has missed nothing. They forget one 30 days after its last run.
   *
   * Default: no tick is made up for.
   */
  catchUp?: Duration;

  /**
   * With `@Cron` and `perTick`: what becomes of a tick whose replica died while it ran it.
   *
   * - `'skip'`: the next run is that of the next tick. Default.
   * - `'again'`: another replica runs it once more, with a larger fencing token, as soon as the lock of the dead replica has expired: after
   *   at most two ttls. It may have done a part of its work before, so this is for work that can be repeated. A second death is left alone.
   *
   * A run that fails, or loses its lock, is not repeated.
   */
  onCrash?: 'skip' | 'again';

  /**
   * On a method with a schedule: each replica waits for a random part of this before it asks for the lock of a tick. So jobs that are due at one
   * instant are spread over the replicas, where the quickest would run them all. Never more than a quarter of the period; 0 turns it off.
   *
   * Default: 25 ms; 0 while a test has faked the timers.
   */
  spread?: Duration;

  /**
   * On a method with a schedule: the replica that has claimed a tick waits for a random part of this before it runs the method, so that jobs do
   * not meet at what they work with. It waits under the lock, which is extended meanwhile, and counts as running. Where the lock is lost
   * meanwhile the method does not run, and the call rejects with `LockLostError`. When the application shuts down the method runs at once.
   *
   * Default: 0.
   */
  jitter?: Duration;

  /**
   * Whether a call for keys that its own async context holds runs under the lock that the context has. Without it such a call waits
   * like any other one, because a timer, an event or a queue that is started under a lock inherits its context, and must not slip in.
   * Where that lock does not have all keys, the call rejects with `InvalidOptionsError`. Default: the `reentrant` of the module.
   */
  reentrant?: boolean;
}
