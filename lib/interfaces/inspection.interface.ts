/**
 * A key as one server sees it.
 *
 * @publicApi
 */
export interface ServerInspection {
  readonly server: string;
  /** `unknown`: the server did not answer; `cause` says why. */
  readonly state: 'held' | 'free' | 'unknown';
  readonly owner?: string;
  readonly remainingMs?: number;
  readonly token?: string;
  readonly cause?: string;
}

/**
 * Who holds a key, as the servers see it.
 *
 * @publicApi
 */
export interface LockInspection {
  readonly key: string;
  /** Whether one holder has a majority of the servers. */
  readonly held: boolean;
  /** The holder with a majority, if there is one: `hostname:pid`, or what it calls itself. */
  readonly owner?: string;
  /** For how much longer, in milliseconds, unless it extends or releases the lock. */
  readonly remainingMs?: number;
  readonly servers: readonly ServerInspection[];
}

/**
 * One server, as this process sees it.
 *
 * @publicApi
 */
export interface ServerHealth {
  readonly server: string;
  /** `quarantined`: it may have forgotten locks, and does not vote; see `reason`. */
  readonly state: 'ready' | 'connecting' | 'down' | 'quarantined';
  /** How long a PING took, in milliseconds; undefined without an answer. */
  readonly latencyMs?: number;
  /** Why it does not vote. */
  readonly reason?: string;
  readonly version?: string;
  /** What about it endangers locks. */
  readonly findings: readonly string[];
}

/**
 * @publicApi
 */
export interface RedlockHealth {
  /** Whether so many servers vote that locks can be granted. */
  readonly quorum: boolean;
  readonly servers: readonly ServerHealth[];
}
