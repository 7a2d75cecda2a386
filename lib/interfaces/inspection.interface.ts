import type { ServerState, ServerWarning } from '../redis/server-status.js';

export type { ServerState, ServerWarning };

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
  /** The number under which this server has granted the lock; 0 without fencing. */
  readonly fencingToken?: number;
  readonly cause?: string;
}

/**
 * Who holds a key, as the servers see it.
 *
 * @publicApi
 */
export interface LockInspection {
  readonly key: string;
  /** Whether one holder has a majority of the servers, as those say that have answered. While some are `unknown`, it may be held although this is false. */
  readonly held: boolean;
  /** The holder with a majority, if there is one: `hostname:pid`, or what it calls itself. */
  readonly owner?: string;
  /** For how much longer, in milliseconds, unless it extends or releases the lock. */
  readonly remainingMs?: number;
  /** The holder's fencing token: the highest number that a server shows for it. 0 without fencing. */
  readonly fencingToken?: number;
  readonly servers: readonly ServerInspection[];
}

/**
 * One server, as this process sees it.
 *
 * @publicApi
 */
export interface ServerHealth {
  readonly server: string;
  /** Which of the `shards` it is in, by its place in the options; undefined with `servers`. */
  readonly shard?: number;
  /** Only a server that is `ready` votes. */
  readonly state: ServerState;
  /** Since when it has been in this state, on the clock of this process. */
  readonly since: Date;
  /**
   * Why it does not vote; of one that is down the cause of the last try to connect. One that is `ready` may have one, too, while it
   * does not vote on ticks and on longer holds yet.
   */
  readonly reason?: string;
  /** How long it took to take and give back a lock, in milliseconds; undefined without an answer. */
  readonly latencyMs?: number;
  /**
   * How far the clock of the server is ahead of that of this process, in milliseconds; negative where it is behind. Exact to half of the
   * round trip. Undefined without an answer, and where an access list allows no TIME.
   */
  readonly clockOffsetMs?: number;
  readonly version?: string;
  /** What about it endangers locks, or is good to know. */
  readonly warnings: readonly ServerWarning[];
}

/**
 * One of several quorum groups, as this process sees it.
 *
 * @publicApi
 */
export interface ShardHealth {
  /** Whether so many of its servers vote that locks on its keys can be granted. */
  readonly quorum: boolean;
  /** How many of its servers vote. */
  readonly voting: number;
  /** How many of them must vote: a majority. */
  readonly needed: number;
  /** The names of its servers, by which all replicas tell it from others. */
  readonly servers: readonly string[];
}

/**
 * @publicApi
 */
export interface RedlockHealth {
  /** Whether so many servers vote that locks can be granted now; with `shards`, whether that is so in each of them. */
  readonly quorum: boolean;
  /** How many servers vote. */
  readonly voting: number;
  /** How many must vote: a majority; with `shards`, the majorities of all of them together, and `quorum` looks at each. */
  readonly needed: number;
  /** All of them, also those of several shards. */
  readonly servers: readonly ServerHealth[];
  /** In the order of the options; undefined with `servers`. */
  readonly shards?: readonly ShardHealth[];
}
