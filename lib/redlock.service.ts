import { setMaxListeners } from 'node:events';
import {
  Injectable,
  Logger,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import type { LockClient } from './client/lock-client.js';
import { EventLog } from './client/log.js';
import { given } from './client/options/acquire-options.js';
import { toKeys } from './client/options/check.js';
import { RedlockShutdownError } from './core/errors/index.js';
import type {
  AcquireOptions,
  Duration,
  Lock,
  LockInspection,
  RedlockHealth,
  WithLockCallOptions,
} from './interfaces/index.js';
import { CONTEXT } from './redlock.messages.js';

/**
 * Locks on the servers of one instance of the module.
 *
 * A ttl is the time after which the servers free a lock when its holder dies. Keys are strings of 1 to 512 characters;
 * several keys are one lock, all or none.
 *
 * @publicApi
 */
@Injectable()
export class RedlockService implements OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown {
  readonly #client: LockClient;
  readonly #closing = new AbortController();
  #shutdownStartedAtMs: number | undefined;

  constructor(client: LockClient) {
    this.#client = client;
    setMaxListeners(0, this.closing); // As many as there are scheduled runs that wait.
    new EventLog(client.events, new Logger(CONTEXT(client.events.instance)), client.shards.clock);
  }

  /** What the decorators, the events and the jobs of this application work with. */
  get client(): LockClient {
    return this.#client;
  }

  /** Whether the application has begun to shut down, so that no more locks are given out. */
  get isClosed(): boolean {
    return this.#client.isClosed;
  }

  /** The ttl of a `@WithLock` that gives none, in milliseconds. */
  get ttlMs(): number {
    return this.#client.settings.ttlMs;
  }

  /** Aborts when shutdown begins to wait for the work in flight: runs of a schedule do not begin any more. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /**
   * Takes the lock, waiting for it up to `wait`. Settles within `wait` and two `nodeTimeout`s.
   *
   * The lock is released by `lock.release()`, by `await using`, or by the end of its ttl. It is not extended by itself
   * unless `autoExtend` says so.
   *
   * @throws LockContendedError somebody else held it until the end of `wait`
   * @throws QuorumUnreachableError too few servers answered until the end of `wait`; names each with its reason
   * @throws InvalidOptionsError before anything is done
   * @throws the reason of `options.signal` when it aborts first
   */
  acquire(key: string | string[], ttl: Duration, options?: AcquireOptions): Promise<Lock> {
    return this.#client.acquire(key, ttl, options);
  }

  /**
   * Takes the lock if nobody has it: `wait` is 0 unless given.
   *
   * @returns null only where another process holds it, or has run the tick. A pause of a job does not count here, but with `withLock`
   * @throws as `acquire`; LockContendedError only where nobody is known to hold it, because the vote stayed split
   */
  tryAcquire(key: string | string[], ttl: Duration, options: AcquireOptions = {}): Promise<Lock | null> {
    return this.#client.tryAcquire(
      key,
      ttl,
      (options as object | null) === null ? options : { wait: 0, ...given(options) },
    );
  }

  /**
   * Runs the work under the lock and gives the lock back. The lock is extended for as long as the work runs; its `signal`
   * tells the work when it cannot be trusted any more.
   *
   * The result and the error are those of the work: a release that fails is logged, not thrown. Work that ended well
   * after its lock was lost rejects with LockLostError.
   *
   * It is not reentrant unless asked: a call for a key that its own async context holds waits like any other call, also in a timer or
   * an event that the work has started. One warning says that it may be waiting for itself. With `reentrant: true` it runs under the
   * lock that the context has, with the ttl and the holds that this was taken with; a `tick` is claimed as well. Where that lock does
   * not have all keys the call rejects at once. What runs so under one lock takes turns, and the lock is given back when it has
   * ended, too, whether the work waits for that or not.
   *
   * @throws as `acquire`; with `onContended: 'skip'` it returns undefined where others throw LockContendedError
   * @throws LockLostError
   */
  withLock<T>(
    key: string | string[],
    ttl: Duration,
    work: (lock: Lock) => Promise<T>,
    options?: WithLockCallOptions & { onContended?: 'throw' },
  ): Promise<T>;
  withLock<T>(
    key: string | string[],
    ttl: Duration,
    work: (lock: Lock) => Promise<T>,
    options: WithLockCallOptions,
  ): Promise<T | undefined>;
  withLock<T>(
    key: string | string[],
    ttl: Duration,
    work: (lock: Lock) => Promise<T>,
    options?: WithLockCallOptions,
  ): Promise<T | undefined> {
    return this.#client.withLock(key, ttl, work, options);
  }

  /**
   * Who holds the key, as each server sees it. Settles within one `nodeTimeout`; a server that does not answer is `unknown`.
   *
   * @throws InvalidOptionsError
   */
  async inspect(key: string): Promise<LockInspection> {
    return await this.#client.inspect(key);
  }

  /**
   * An operator's tool: frees the key, whichever process holds it. The holder notices with its next extension, and its signal aborts.
   * It removes the lock that the servers show when it is called, and no later one. Settles within two `nodeTimeout`s.
   *
   * @returns whether a lock was removed
   * @throws QuorumUnreachableError no majority of the servers answered; it may still be held
   * @throws InvalidOptionsError
   */
  async forceRelease(key: string): Promise<boolean> {
    return await this.#client.remove(key);
  }

  /** The same text for instances whose locks on one key exclude each other. */
  get place(): string {
    const { settings, shards } = this.#client;
    return `${settings.keyPrefix} ${shards.place}`;
  }

  /** Two of these keys that cannot be in one lock, because they belong to different shards. */
  apart(key: string | string[]): readonly [string, string] | undefined {
    return this.#client.shards.apart(toKeys(key));
  }

  /** Each server's state, latency and why it does not vote. Settles within one `nodeTimeout`, and never rejects. */
  health(): Promise<RedlockHealth> {
    return this.#client.health();
  }

  onApplicationBootstrap(): void {
    this.#client.connect();
  }

  /**
   * Waits for the locked work that is in flight, before anything of the application is destroyed: the module sees to it that this
   * comes before every `onModuleDestroy`. Scheduled runs do not begin any more; other work may (what is in flight can need it), and is
   * waited for in the next phases, for `shutdownTimeout` in all.
   */
  async drain(): Promise<void> {
    await this.#client.drain(this.#shutdownLeftMs());
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.drain();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#client.close(this.#shutdownLeftMs());
  }

  #shutdownLeftMs(): number {
    const { settings, shards } = this.#client;
    const nowMs = shards.clock.nowMs();
    this.#shutdownStartedAtMs ??= nowMs;
    this.#closing.abort(new RedlockShutdownError());
    return Math.max(0, this.#shutdownStartedAtMs + settings.shutdownTimeoutMs - nowMs);
  }
}
