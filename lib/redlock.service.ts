import { setMaxListeners } from 'node:events';
import {
  Injectable,
  Logger,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { isRedlockError, RedlockShutdownError, type LockContendedError } from './core/errors/index.js';
import { hold } from './core/run-with-lock.js';
import { inspect } from './core/inspect.js';
import type { LockHandle } from './core/lock.js';
import { WorkTracker } from './core/work-tracker.js';
import { LockClient } from './client/lock-client.js';
import { checkOnContended, given } from './client/options/acquire-options.js';
import { refuse, toKey, toKeys } from './client/options/check.js';
import type { Settings } from './client/options/module-options.js';
import type {
  AcquireOptions,
  Duration,
  Lock,
  LockInspection,
  RedlockHealth,
  WithLockCallOptions,
} from './interfaces/index.js';
import { runUnder, type HeldAround } from './client/lock-scope.js';
import { lockKey } from './client/keys.js';
import { CONTEXT, RELEASE_FAILED, SERVERS, SHUTDOWN_TIMEOUT, SKIPPED } from './redlock.messages.js';
import type { Shards } from './client/shards.js';
import { toHealth, toInspection } from './client/health.js';

const NO_OPTIONS = {};

/**
 * Locks on the servers of one instance of the module.
 *
 * A ttl is the time after which a lock is free by itself when its holder dies. Keys are strings of 1 to 512 characters;
 * several keys are one lock, all or none.
 *
 * @publicApi
 */
@Injectable()
export class RedlockService implements OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown {
  readonly #logger: Logger;
  readonly #locks: LockClient;
  readonly #work: WorkTracker;
  readonly #closing = new AbortController();
  #shutdownStartedAtMs: number | undefined;

  readonly #settings: Settings;
  readonly #shards: Shards;

  /** With the name of the instance, where it has one: its log lines are to be told from those of others. */
  constructor(settings: Settings, shards: Shards, name?: string) {
    this.#logger = new Logger(CONTEXT(name));
    setMaxListeners(0, this.closing); // As many as there are scheduled runs that wait.
    this.#settings = settings;
    this.#shards = shards;
    this.#locks = new LockClient(settings, shards, this.#logger);
    this.#work = new WorkTracker(shards.clock);
  }

  /** Whether the application has begun to shut down, so that no more locks are given out. */
  get isClosed(): boolean {
    return this.#locks.isClosed();
  }

  /** The ttl of a `@WithLock` that gives none, in milliseconds. */
  get ttlMs(): number {
    return this.#settings.ttlMs;
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
  acquire(key: string | string[], ttl: Duration, options: AcquireOptions = NO_OPTIONS): Promise<Lock> {
    return this.#locks.acquire(key, ttl, options, 'acquire');
  }

  /**
   * Takes the lock if nobody has it: `wait` is 0 unless given.
   *
   * @returns null only when somebody else holds it
   * @throws as `acquire`; LockContendedError only where nobody is known to hold it, because the vote stayed split
   */
  async tryAcquire(key: string | string[], ttl: Duration, options: AcquireOptions = {}): Promise<Lock | null> {
    try {
      return await this.#locks.acquire(key, ttl, { wait: 0, ...given(options) }, 'acquire');
    } catch (error) {
      if (isContended(error) && !error.undecided) return null;
      throw error;
    }
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
  async withLock<T>(
    key: string | string[],
    ttl: Duration,
    work: (lock: Lock) => Promise<T>,
    options: WithLockCallOptions = NO_OPTIONS,
  ): Promise<T | undefined> {
    checkOnContended(given(options).onContended, ['throw', 'skip']);
    if (typeof work !== 'function') throw refuse('work', 'a function', work);
    if (options.reentrant ?? this.#settings.reentrant) {
      const lender = this.#locks.lenderOf(key);
      if (lender !== undefined) return await this.#runNested(lender, key, ttl, work, options);
    }
    const running = this.#work.begin();
    try {
      const lock = await this.#locks.acquire(key, ttl, options, 'withLock').catch((error: unknown) => {
        this.#throwUnlessSkipped(error, options);
      });
      if (lock === undefined) return undefined;
      return await hold(lock, () => runUnder(lock, () => work(lock)), this.#onReleaseFailed);
    } finally {
      this.#work.end(running);
    }
  }

  async #runNested<T>(
    { frame, lock }: HeldAround<LockHandle>,
    key: string | string[],
    ttl: Duration,
    work: (lock: Lock) => Promise<T>,
    options: WithLockCallOptions,
  ): Promise<T | undefined> {
    return await frame.nested.run(async (before) => {
      try {
        await this.#locks.join(lock, key, ttl, options, before);
      } catch (error) {
        this.#throwUnlessSkipped(error, options);
        return undefined;
      }
      const result = await runUnder(lock, () => work(lock));
      await lock.ensureNotLost();
      return result;
    });
  }

  #throwUnlessSkipped(error: unknown, { onContended }: WithLockCallOptions): void {
    if (onContended !== 'skip') throw error;
    if (!isContended(error) && !isRedlockError(error, 'SHUTDOWN')) throw error;
    // That somebody else has it is quiet, and so is the end. That nobody may have got it is not.
    const undecided = isContended(error) && error.undecided;
    this.#logger[undecided ? 'warn' : 'debug'](SKIPPED(error.message));
  }

  readonly #onReleaseFailed = (_: LockHandle, error: unknown): void => {
    this.#logger.warn(RELEASE_FAILED(error instanceof Error ? error.message : String(error)));
  };

  /**
   * Who holds the key, as each server sees it. Settles within one `nodeTimeout`; a server that does not answer is `unknown`.
   *
   * @throws InvalidOptionsError
   */
  async inspect(key: string): Promise<LockInspection> {
    const only = toKey(key);
    return toInspection(only, await inspect(this.#shards.quorumOf([only]), lockKey(this.#settings.keyPrefix, only)));
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
    return await this.#locks.remove(toKey(key));
  }

  /** The same text for instances whose locks on one key exclude each other. */
  get place(): string {
    return `${this.#settings.keyPrefix} ${this.#shards.place}`;
  }

  /** Two of these keys that cannot be in one lock, because they belong to different shards. */
  apart(key: string | string[]): readonly [string, string] | undefined {
    return this.#shards.apart(toKeys(key));
  }

  /** Each server's state, latency and why it does not vote. Settles within one `nodeTimeout`, and never rejects. */
  async health(): Promise<RedlockHealth> {
    return await toHealth(this.#shards, this.#settings.nodeTimeoutMs);
  }

  /** Connects ahead of the first lock. Nothing waits for it. */
  onApplicationBootstrap(): void {
    for (const { servers } of this.#shards.list) {
      for (const { node } of servers) node.reach();
      const { level, text } = SERVERS(servers.length);
      this.#logger[level](text);
    }
  }

  /**
   * Waits for the locked work that is in flight, before anything of the application is destroyed: the module sees to it that this
   * comes before every `onModuleDestroy`. Scheduled runs do not begin any more; other work may (what is in flight can need it), and is
   * waited for in the next phases, for `shutdownTimeout` in all.
   */
  async drain(): Promise<void> {
    await this.#work.settleWithin(this.#shutdownLeftMs());
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.drain();
  }

  async onApplicationShutdown(): Promise<void> {
    const leftMs = this.#shutdownLeftMs();
    this.#locks.close();
    if (!(await this.#work.settleWithin(leftMs))) {
      this.#logger.warn(SHUTDOWN_TIMEOUT(this.#work.size, this.#settings.shutdownTimeoutMs));
    }
    await this.#locks.giveUp();
    this.#shards.close();
  }

  #shutdownLeftMs(): number {
    const nowMs = this.#shards.clock.nowMs();
    this.#shutdownStartedAtMs ??= nowMs;
    this.#closing.abort(new RedlockShutdownError());
    return Math.max(0, this.#shutdownStartedAtMs + this.#settings.shutdownTimeoutMs - nowMs);
  }
}

function isContended(error: unknown): error is LockContendedError {
  return isRedlockError(error, 'LOCK_CONTENDED');
}
