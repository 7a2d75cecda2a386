import type { Duration } from './duration.type.js';

/**
 * A lock that is held, until it is released, lost or out of validity.
 *
 * It is an `AsyncDisposable`: `await using lock = await redlock.acquire('report', '30s')` releases it at the end of the
 * block.
 *
 * @publicApi
 */
export interface Lock extends AsyncDisposable {
  /** The locked keys, as they were asked for. */
  readonly keys: readonly string[];

  /** The random value that marks this grant on the servers. */
  readonly token: string;

  /**
   * For one key, larger than that of every earlier grant, across processes, crashes and pauses, with no assumption about
   * clocks while a majority of the servers keeps its data. Let the resource refuse whatever comes with a smaller one:
   * `UPDATE ... SET fence = $1 WHERE fence <= $1`. A safe integer; 0 with `fencing: false`.
   *
   * Source: Martin Kleppmann, "How to do distributed locking", 2016, for what it is good for.
   */
  readonly fencingToken: number;

  /**
   * Aborts with a {@link LockLostError} when the lock can no longer be trusted: no later than the end of its validity,
   * even when the network is silent. Hand it to whatever the work waits for. It does not abort on release.
   */
  readonly signal: AbortSignal;

  /** Milliseconds of validity left, counted on the monotonic clock; 0 once released or lost. */
  readonly remaining: number;

  /** Of a scheduled run: the instant of the schedule that it stands for. A run by hand and an `@Interval` have none. */
  readonly tick?: Date | undefined;

  /** True where this run makes up for a tick that no replica ran in time (the option `catchUp`). */
  readonly late?: boolean;

  /** Whether the lock can be trusted right now. */
  isHeld(): boolean;

  /**
   * Returns if the lock can be trusted right now.
   *
   * @throws LockLostError, LockReleasedError
   */
  assertHeld(): void;

  /**
   * Begins the ttl anew, or a new ttl. Settles within one `nodeTimeout`. When it rejects with
   * {@link QuorumUnreachableError} the lock is still held until its old validity ends, and may be extended again.
   *
   * @param ttl default: the ttl that the lock has
   * @throws LockLostError, LockReleasedError, QuorumUnreachableError, InvalidOptionsError
   */
  extend(ttl?: Duration): Promise<void>;

  /**
   * Gives the lock back on every server. Settles when a majority has confirmed, within one `nodeTimeout`; servers that do
   * not answer are told later. Of a lock that was lost there is nothing to give back, and it returns at once.
   *
   * @throws QuorumUnreachableError no majority confirmed: others may have to wait until the ttl is over
   * @throws LockReleasedError it was released before
   * @throws LockLostError a majority of the servers reports that the lock was gone already
   */
  release(): Promise<void>;
}
