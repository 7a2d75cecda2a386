import type { ConfigurableModuleAsyncOptions } from '@nestjs/common';
import type { RedisOptions } from 'ioredis';
import type { Duration } from './duration.type.js';

/**
 * A ready ioredis client, also one behind Sentinel or a `Cluster`. Told by its shape, because the clients of ioredis 5
 * and 6 differ as types.
 *
 * @publicApi
 */
export interface RedisClient {
  readonly status: string;
  call(command: string, ...args: (string | number)[]): Promise<unknown>;
  connect(): Promise<unknown>;
  on(event: string, listener: () => void): unknown;
  off(event: string, listener: () => void): unknown;
}

/**
 * One Redis server: a `redis://` or `rediss://` URL, a `host:port`, ioredis' `RedisOptions`, or a ready client. Clients
 * that the module made it closes; clients that it was given it neither closes nor changes.
 *
 * @publicApi
 */
export type RedlockServer = string | RedisOptions | RedisClient;

/**
 * Options of an instance. Durations are milliseconds or strings such as `'30s'`.
 *
 * @publicApi
 */
export interface RedlockOptions {
  /** Put before every key, so that locks never collide with data. Default: `'redlock:'`. */
  keyPrefix?: string;

  /**
   * The ttl of a `@WithLock` that gives none: after this time a lock is free by itself when its holder dies. Default: `'10s'`.
   */
  ttl?: Duration;

  /** How long `acquire` and `withLock` keep trying; 0 is one decision. Default: `'10s'`. */
  wait?: Duration;

  /** A second bound on trying, in rounds after the first, those that settle a split vote included. Default: no bound but `wait`. */
  maxRetries?: number;

  /** The ceiling of the first pause between rounds; it doubles with each round, and the pause is random below it. Default: 50. */
  retryDelay?: Duration;

  /** The highest ceiling of a pause between rounds. Default: 1000. */
  maxRetryDelay?: Duration;

  /**
   * How much the rates of two clocks may differ. A lock may be trusted for ttl - elapsed - (ttl x driftFactor + 2 ms).
   * Default: 0.01. Source: Redis documentation, "Distributed Locks with Redis".
   */
  driftFactor?: number;

  /** How long one server may take to answer before its vote counts as timed out; never above a quarter of the ttl. Default: 500. */
  nodeTimeout?: Duration;

  /** Round trips in flight per server. Further work queues and shares the next ones. Default: 10. */
  maxConcurrency?: number;

  /** The first pause before the module's own connections are made again; it doubles with each try. Default: 300. */
  reconnectDelay?: Duration;

  /** The longest pause before the module's own connections are made again. Default: 3000. */
  maxReconnectDelay?: Duration;

  /**
   * Every grant carries a fencing token (`lock.fencingToken`). It costs no further round trip in the steady state or for a new
   * key, and a counter per key on each server (150 to 190 bytes), which is gone `fencingRetention` after the last grant. Default: true.
   */
  fencing?: boolean;

  /**
   * How long a server remembers the counter of a key that is not locked any more. It never forgets the counter before the lock:
   * where a ttl or a `minHold` is longer than half of this, twice that time counts.
   *
   * A key that is locked again later counts on from the time of day. So this is also how far the clocks of servers and processes
   * may be set back without a token becoming smaller than an earlier one. Longer: more memory on the servers where keys are used
   * once (`order:123`). Default: `'1h'`. Throws InvalidOptionsError for less than 1 ms, or what is no duration.
   */
  fencingRetention?: Duration;

  /**
   * Whether `withLock` and `@WithLock` run under the lock that their own async context has, if that has all their keys. Default: false,
   * as every mutex of JavaScript: a timer or an event that is started under a lock waits for its own lock.
   */
  reentrant?: boolean;

  /**
   * What to do about a server that came back without its data, or was flushed: it does not vote until every lock that it
   * may have forgotten has expired.
   *
   * - `'witnessed'`: when this process has seen the server before, or when another process that had seen it has noticed the
   *   loss, and has written so on the server. A process waits for the longest ttl that it uses itself.
   * - `'strict'`: also by the server's own uptime, when this process connects for the first time, and after every restart,
   *   even with an append-only file.
   * - `'off'`: it votes at once, and a second holder may get in.
   *
   * Default: `'witnessed'`. Source: Redis documentation, "Distributed Locks with Redis", on delayed restarts.
   */
  restartGuard?: 'witnessed' | 'strict' | 'off';

  /** How far apart the clocks of two replicas may be before one cron tick could run twice. Default: `'60s'`. */
  clockTolerance?: Duration;

  /** How long shutdown waits for locked work in flight. Default: `'10s'`. */
  shutdownTimeout?: Duration;

  /** Who holds it, for people: other replicas name it in their errors. Default: `hostname:pid`. */
  owner?: string;
}

/**
 * Exactly one of `servers` and `shards`, and any of the other options.
 *
 * @publicApi
 */
export type RedlockModuleOptions = RedlockOptions &
  (
    | {
        /** The independent servers of one quorum group. An odd number is best: 3 bear the loss of one, 5 of two. */
        servers: RedlockServer | RedlockServer[];
        shards?: undefined;
      }
    | {
        /**
         * Several quorum groups, each of independent servers, so that each bears a part of the load and fails alone. A key
         * belongs to one of them, by consistent hashing of its hash tag (`{...}`) or else of all of it. All keys of one lock
         * must belong to the same.
         *
         * A shard is told by the names of its servers: they must be the same on all replicas. The order does not matter.
         */
        shards: RedlockServer[][];
        servers?: undefined;
      }
  );

/**
 * What is decided when the module is imported, not by a factory.
 *
 * @publicApi
 */
export interface RedlockModuleExtras {
  /** Whether other modules can inject the service without importing this one. Default: true. */
  isGlobal?: boolean;

  /** Sets this instance apart from others in the same application: `@InjectRedlock(name)`, `@WithLock(..., { instance: name })`. */
  name?: string;
}

/**
 * @publicApi
 */
export interface RedlockOptionsFactory {
  createRedlockOptions(): RedlockModuleOptions | Promise<RedlockModuleOptions>;
}

/**
 * One of `useFactory`, `useClass` and `useExisting`.
 *
 * @publicApi
 */
export type RedlockModuleAsyncOptions = ConfigurableModuleAsyncOptions<RedlockModuleOptions, 'createRedlockOptions'> &
  RedlockModuleExtras;
