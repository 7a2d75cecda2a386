import { acquire } from '../core/acquire.js';
import { RedlockShutdownError } from '../core/errors/index.js';
import type { LockHandle } from '../core/lock.js';
import { Refusal, refusedByShutdown } from '../core/refusal.js';
import { undo } from '../core/undo.js';
import { runWithLock } from '../core/run-with-lock.js';
import { WorkTracker } from '../core/work-tracker.js';
import type { AcquireOptions, Lock, LockInspection, RedlockHealth, WithLockCallOptions } from '../interfaces/index.js';
import { BorrowedLock } from './borrowed-lock.js';
import { CallEvents } from './call-events.js';
import { CallMaker, type Call, type CallKind, type Key } from './call.js';
import { EventSource } from './event-source.js';
import { toHealth } from './health.js';
import { HeldKeys } from './held-keys.js';
import { JobRegister } from './jobs/job-register.js';
import { LockRegistry } from './lock-registry.js';
import { runUnder, type HeldAround } from './lock-scope.js';
import { SERVERS, SHUTDOWN_TIMEOUT } from './messages.js';
import { NestedCalls } from './nested-calls.js';
import { checkOnContended } from './options/acquire-options.js';
import { refuse } from './options/check.js';
import type { Settings } from './options/module-options.js';
import type { Shards } from './shards.js';

/**
 * Locks on the servers of one instance, without a framework. `RedlockService` is its face in a Nest application, and documents
 * what each method does.
 */
export class LockClient {
  readonly #registry: LockRegistry;
  readonly #calls: CallMaker;
  readonly #told: CallEvents;
  readonly #nested: NestedCalls;
  readonly #keys: HeldKeys;
  readonly #work: WorkTracker;
  /** What the servers keep of each job. */
  readonly jobs: JobRegister;

  // Private to the language, too: a client that is printed must not show the servers and their passwords.
  readonly #settings: Settings;
  readonly #shards: Shards;

  constructor(
    settings: Settings,
    shards: Shards,
    readonly events = new EventSource(),
  ) {
    const { clock } = shards;
    this.#settings = settings;
    this.#shards = shards;
    this.#calls = new CallMaker(settings, shards);
    this.#registry = new LockRegistry(settings, shards, this.#calls, events);
    this.#told = new CallEvents(events, this.#calls, clock);
    this.#nested = new NestedCalls(this.#registry, events, settings.owner);
    this.#keys = new HeldKeys(settings.keyPrefix, shards, this.#registry);
    this.#work = new WorkTracker(clock);
    this.jobs = new JobRegister(settings.keyPrefix, shards);
  }

  get settings(): Settings {
    return this.#settings;
  }

  get shards(): Shards {
    return this.#shards;
  }

  get isClosed(): boolean {
    return this.#registry.isClosed();
  }

  /** Connects ahead of the first lock, and says how many servers there are. Nothing waits for it. */
  connect(): void {
    for (const { servers } of this.#shards.list) {
      for (const { node } of servers) node.ensureConnected();
      this.events.emit('warning', { code: 'servers', ...SERVERS(servers.length) });
    }
  }

  async acquire(key: Key, ttl: unknown, options?: AcquireOptions, kind: CallKind = 'acquire'): Promise<LockHandle> {
    const call = this.#calls.make(kind, key, ttl, options);
    const lock = await this.#told.wait(call, false, () => this.#acquire(call));
    if (lock instanceof Refusal) throw lock.error;
    return lock;
  }

  /** Null where another process holds the lock, or has run the tick. */
  async tryAcquire(key: Key, ttl: unknown, options: AcquireOptions): Promise<LockHandle | null> {
    const call = this.#calls.make('acquire', key, ttl, options);
    const lock = await this.#told.wait(call, false, () => this.#acquire(call));
    if (lock instanceof Refusal && !lock.isDenial) throw lock.error;
    return lock instanceof Refusal ? null : lock;
  }

  async withLock<T>(
    key: Key,
    ttl: unknown,
    work: (lock: Lock) => Promise<T>,
    options?: WithLockCallOptions,
  ): Promise<T | undefined> {
    if (options != null) checkOnContended(options.onContended, ['throw', 'skip']);
    if (typeof work !== 'function') throw refuse('work', 'a function', work);
    const call = this.#calls.make('withLock', key, ttl, options);
    if (options?.reentrant ?? this.#settings.reentrant) {
      const lender = this.#nested.lenderOf(key);
      if (lender !== undefined) return await this.#runNested(lender, call, work, options);
    }
    const running = this.#work.begin();
    try {
      const skips = options?.onContended === 'skip';
      const lock = await this.#told.wait(call, skips, () => this.#acquire(call));
      if (lock instanceof Refusal) {
        this.#told.skipOrThrow(call, lock, skips);
        return undefined;
      }
      const under = (own: () => Promise<T>): Promise<T> =>
        runWithLock(lock, () => runUnder(lock, own), this.#told.onReleaseFailed);
      return await this.#told.run(call, lock, () => work(lock), under);
    } finally {
      this.#work.end(running);
    }
  }

  inspect(key: string): Promise<LockInspection> {
    return this.#keys.inspect(key);
  }

  /** See {@link HeldKeys.remove}. */
  remove(key: string, tokens?: ReadonlySet<string>): Promise<boolean> {
    return this.#keys.remove(key, tokens);
  }

  async health(): Promise<RedlockHealth> {
    return await toHealth(this.#shards, this.#settings.nodeTimeoutMs);
  }

  /** Waits for the work that runs under a lock now. */
  async drain(timeoutMs: number): Promise<boolean> {
    return await this.#work.settleWithin(timeoutMs);
  }

  /** Gives out no more locks, waits so long for the work that runs, gives the rest up and closes its own connections. */
  async close(timeoutMs: number): Promise<void> {
    this.#registry.close();
    if (!(await this.drain(timeoutMs))) {
      const message = SHUTDOWN_TIMEOUT(this.#work.size, this.#settings.shutdownTimeoutMs);
      this.events.emit('warning', { code: 'shutdown-timeout', level: 'warn', message });
    }
    await this.#registry.giveUp();
    this.#shards.close();
  }

  async #acquire(call: Call): Promise<LockHandle | Refusal> {
    const { quorum, plan, chosen } = call;
    if (this.#registry.isClosed()) return refusedByShutdown(new RedlockShutdownError(plan.keys));
    plan.hint = this.#nested.hintFor(call);
    const cancellation = this.#registry.beginWait(chosen.signal);
    plan.cancellation = cancellation;
    try {
      const grant = await acquire(quorum, plan);
      if (grant instanceof Refusal) return this.#told.onRefused(call, grant);
      if (this.#registry.isClosed()) {
        // It will not be handed out, so nothing of it may stay, the tick least of all.
        undo(quorum, plan, grant.token, { tell: true });
        grant.turn?.leave();
        throw new RedlockShutdownError(plan.keys);
      }
      const lock = this.#registry.hold(call, grant);
      this.#told.onAcquired(call, lock);
      return lock;
    } catch (error) {
      return refusedByShutdown(error);
    } finally {
      this.#registry.endWait(cancellation);
    }
  }

  async #runNested<T>(
    { frame, lock }: HeldAround<LockHandle>,
    call: Call,
    work: (lock: Lock) => Promise<T>,
    options: WithLockCallOptions | undefined,
  ): Promise<T | undefined> {
    return await frame.nested.run(async (before) => {
      const refusal = await this.#nested.join(lock, call, before);
      if (refusal !== undefined) {
        this.#told.skipOrThrow(call, this.#told.onRefused(call, refusal), options?.onContended === 'skip');
        return undefined;
      }
      const borrowed = new BorrowedLock(lock);
      const underLock = async (own: () => Promise<T>): Promise<T> => {
        const result = await runUnder(borrowed, own);
        await lock.ensureNotLost();
        return result;
      };
      return await this.#told.run(call, lock, () => work(borrowed), underLock);
    });
  }
}
