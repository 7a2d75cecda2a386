import { acquire } from './core/acquire.js';
import { undo } from './core/decide.js';
import { QuorumUnreachableError, RedlockShutdownError } from './core/errors/index.js';
import { remove } from './core/inspect.js';
import { HeldLock } from './core/lock.js';
import { count, majorityOf } from './core/vote.js';
import { withinMs } from './core/wait.js';
import { given, toAcquireSettings } from './input/acquire-options.js';
import { toAcquirePlan, toTtl } from './input/acquire-plan.js';
import { toKeys } from './input/check.js';
import type { Settings } from './input/module-options.js';
import type { AcquireOptions } from './interfaces/index.js';
import { locksAround } from './redlock.context.js';
import { lockKey } from './redlock.keys.js';
import type { Shards } from './redlock.shards.js';

/** The locks that an instance holds and waits for, so that its shutdown can end them. */
export class HeldLocks {
  readonly #locks = new Set<HeldLock>();
  readonly #waiting = new Set<AbortController>();
  #closed = false;

  readonly #settings: Settings;
  readonly #shards: Shards;

  constructor(settings: Settings, shards: Shards) {
    this.#settings = settings;
    this.#shards = shards;
  }

  isClosed(): boolean {
    return this.#closed;
  }

  async acquire(
    key: string | string[],
    ttl: unknown,
    options: AcquireOptions,
    where: 'acquire' | 'withLock',
  ): Promise<HeldLock> {
    const chosen = toAcquireSettings(given(options), where, this.#settings);
    const controller = new AbortController();
    const plan = toAcquirePlan(key, ttl, { ...chosen, signal: controller.signal }, this.#settings);
    const quorum = this.#shards.quorumOf(plan.keys);
    if (this.isClosed()) throw new RedlockShutdownError(plan.keys);

    const onAbort = (): void => {
      controller.abort(chosen.signal?.reason);
    };
    if (chosen.signal?.aborted) onAbort();
    chosen.signal?.addEventListener('abort', onAbort, { once: true });
    this.#waiting.add(controller);
    try {
      const grant = await acquire(quorum, plan);
      if (this.isClosed()) {
        // Nobody will have it, so nothing of it may stay, the tick least of all.
        undo(quorum, plan, grant.token, { tell: true });
        grant.turn?.leave();
        throw new RedlockShutdownError(plan.keys);
      }
      const lock = new HeldLock(quorum, plan, grant, {
        autoExtend: chosen.autoExtend,
        minHoldMs: chosen.minHoldMs,
        maxHoldMs: chosen.maxHoldMs,
        toTtlMs: (value) => toTtl(value, this.#settings),
        onEnd: () => this.#locks.delete(lock),
      });
      this.#locks.add(lock);
      return lock;
    } finally {
      this.#waiting.delete(controller);
      chosen.signal?.removeEventListener('abort', onAbort);
    }
  }

  /** The innermost lock around this async context that is one of these, still held, and covers the keys. */
  around(key: string | string[]): HeldLock | undefined {
    const keys = toKeys(key);
    for (const lock of locksAround()) {
      const ours = [...this.#locks].find((each) => each === lock);
      if (ours?.isHeld() && keys.every((each) => ours.keys.includes(each))) return ours;
    }
    return undefined;
  }

  /** What is asked for under a lock that is held already: it is checked as ever, and its tick, if it has one, is claimed. */
  async join(key: string | string[], ttl: unknown, options: AcquireOptions): Promise<void> {
    const chosen = toAcquireSettings(given(options), 'withLock', this.#settings);
    const plan = toAcquirePlan(key, ttl, chosen, this.#settings);
    if (plan.tick === undefined) return;
    await acquire(this.#shards.quorumOf(plan.keys), { ...plan, claims: [], waitMs: 0 });
  }

  /** Deletes the lock that the servers have on the key, and gives it up if it is held here. Returns whether there was one. */
  async remove(key: string): Promise<boolean> {
    const { votes, tokens } = await remove(this.#shards.quorumOf([key]), lockKey(this.#settings.keyPrefix, key));
    for (const lock of this.#locks) if (tokens.has(lock.token)) void lock.lose('taken', votes);
    if (votes.length - count(votes, 'failed') < majorityOf(votes.length)) {
      throw new QuorumUnreachableError('release', [key], votes.length, votes);
    }
    return count(votes, 'released') > 0;
  }

  /** No more locks: who waits for one hears that it is over. */
  close(): void {
    this.#closed = true;
    for (const controller of this.#waiting) controller.abort(new RedlockShutdownError());
  }

  /** Gives up everything that is still held, and waits until what is to be undone or given back has left. */
  async giveUp(): Promise<void> {
    const { list, clock } = this.#shards;
    const couriers = list.flatMap(({ quorum }) => quorum.couriers);
    await Promise.all([...this.#locks].map((lock) => lock.lose('shutdown')));
    // Whoever was waiting undoes what it had begun, and that has been asked for after this.
    await new Promise<void>((resolve) => {
      clock.afterInput(resolve);
    });
    // A server that does not answer in time keeps it until its ttl is over.
    await withinMs(clock, Promise.all(couriers.map((courier) => courier.idle())), this.#settings.nodeTimeoutMs);
  }
}
