import type { LoggerService } from '@nestjs/common';
import { acquire, type AcquirePlan, type Grant } from '../core/acquire.js';
import { Cancellation } from '../core/cancellation.js';
import {
  InvalidOptionsError,
  LockContendedError,
  QuorumUnreachableError,
  RedlockShutdownError,
} from '../core/errors/index.js';
import { remove } from '../core/inspect.js';
import { LockHandle } from '../core/lock.js';
import { Look } from '../core/look.js';
import type { Quorum } from '../core/quorum.js';
import { undo } from '../core/round.js';
import { count, majorityOf } from '../core/vote.js';
import { withinMs } from '../core/wait.js';
import { callerOf, given, toAcquireSettings, type AcquireSettings } from './options/acquire-options.js';
import { toAcquirePlan, toTtl } from './options/acquire-plan.js';
import { toKeys } from './options/check.js';
import type { Settings } from './options/module-options.js';
import type { AcquireOptions, WithLockCallOptions } from '../interfaces/index.js';
import { findHeldAround, type HeldAround } from './lock-scope.js';
import { lockKey } from './keys.js';
import { LEFT_BEHIND, LOST_UNDER_WORK, NOT_COVERED, WAITED_FOR_ITSELF, WAITS_FOR_ITSELF } from '../redlock.messages.js';
import type { Shards } from './shards.js';

/** One call, from its check to its end. */
interface Call {
  readonly quorum: Quorum;
  readonly plan: AcquirePlan;
  readonly chosen: AcquireSettings;
  readonly where: 'acquire' | 'withLock';
  readonly cancellation: Cancellation;
}

/** The first calls that may wait for themselves are told, each once. A key of each request must not fill the log and the memory. */
const MOST_WARNINGS = 100;

/** The locks that an instance holds and waits for, so that its shutdown can end them. */
export class LockClient {
  /** By their tokens. */
  readonly #locks = new Map<string, LockHandle>();
  readonly #waiting = new Set<Cancellation>();
  readonly #warned = new Set<string>();
  readonly #look: Look;
  #closed = false;

  readonly #settings: Settings;
  readonly #shards: Shards;
  readonly #logger: Pick<LoggerService, 'warn'> | undefined;

  constructor(settings: Settings, shards: Shards, logger?: Pick<LoggerService, 'warn'>) {
    this.#settings = settings;
    this.#shards = shards;
    this.#logger = logger;
    this.#look = new Look(shards.clock, this.#locks);
  }

  isClosed(): boolean {
    return this.#closed;
  }

  async acquire(
    key: string | string[],
    ttl: unknown,
    options: AcquireOptions,
    where: 'acquire' | 'withLock',
  ): Promise<LockHandle> {
    const call = this.#begin(key, ttl, options, where);
    try {
      return this.#hold(call, await acquire(call.quorum, call.plan));
    } finally {
      this.#end(call.cancellation);
    }
  }

  #begin(key: string | string[], ttl: unknown, options: AcquireOptions, where: 'acquire' | 'withLock'): Call {
    const chosen = toAcquireSettings(given(options), where, this.#settings);
    const plan = toAcquirePlan(key, ttl, chosen, this.#settings);
    const own = this.#heldAround(plan.keys);
    const quorum = this.#shards.quorumOf(plan.keys);
    if (this.isClosed()) throw new RedlockShutdownError(plan.keys);
    if (own !== undefined && plan.waitMs > 0) this.#warnOfItself(own.keys, callerOf(options) ?? where);
    const hint =
      own && (() => (own.lock.isHeld() && own.frame.lock !== undefined ? WAITED_FOR_ITSELF(own.keys) : undefined));
    const cancellation = this.#cancellable(chosen.signal);
    return { quorum, plan: Object.assign(plan, { hint, cancellation }), chosen, where, cancellation };
  }

  /** What the signal ends, or the shutdown, while it waits. */
  #cancellable(signal: AbortSignal | undefined): Cancellation {
    const cancellation = new Cancellation(signal);
    this.#waiting.add(cancellation);
    return cancellation;
  }

  #end(cancellation: Cancellation): void {
    this.#waiting.delete(cancellation);
    cancellation.close();
  }

  #hold({ quorum, plan, chosen, where }: Call, grant: Grant): LockHandle {
    if (this.isClosed()) {
      // It will not be handed out, so nothing of it may stay, the tick least of all.
      undo(quorum, plan, grant.token, { tell: true });
      grant.turn?.leave();
      throw new RedlockShutdownError(plan.keys);
    }
    const lock = new LockHandle(quorum, plan, grant, {
      autoExtend: chosen.autoExtend,
      minHoldMs: chosen.minHoldMs,
      maxHoldMs: chosen.maxHoldMs,
      toTtlMs: this.#toTtlMs,
      onEnd: () => {
        this.#locks.delete(lock.token);
      },
      onLost: (error) => {
        // Where a lock was acquired by hand, its end may be what was meant; the signal tells. Work under it was not to be cut off.
        if (where === 'withLock' && error.reason !== 'shutdown') this.#logger?.warn(LOST_UNDER_WORK(error.message));
      },
    });
    this.#locks.set(lock.token, lock);
    this.#look.begin();
    return lock;
  }

  readonly #toTtlMs = (value: unknown): number => toTtl(value, this.#settings);

  /**
   * The work that this async context belongs to, and whose lock is to be lent to a call for these keys: the innermost that holds
   * one of them. Throws where that does not hold all of them, because the call would wait for its own end.
   */
  lenderOf(key: string | string[]): HeldAround<LockHandle> | undefined {
    const keys = toKeys(key);
    const own = this.#heldAround(keys);
    if (own === undefined) return undefined;
    const missing = keys.filter((each) => !own.lock.keys.includes(each));
    if (missing.length > 0) throw new InvalidOptionsError('reentrant', NOT_COVERED(own.keys, missing));
    return own;
  }

  #heldAround(keys: readonly string[]): HeldAround<LockHandle> | undefined {
    return findHeldAround(keys, ({ token }) => {
      const lock = this.#locks.get(token);
      // One that is over is noticed by this, and gone then. One that is in doubt after a suspension counts: no call may wait for itself.
      lock?.isHeld();
      return this.#locks.get(token);
    });
  }

  #warnOfItself(keys: readonly string[], caller: string): void {
    const about = JSON.stringify([caller, keys]);
    if (this.#warned.has(about) || this.#warned.size >= MOST_WARNINGS) return;
    this.#warned.add(about);
    this.#logger?.warn(WAITS_FOR_ITSELF(keys, caller));
  }

  /**
   * What is asked for under a lock that is held already: it waits for its turn, and its tick, if it has one, is claimed. Everything
   * is checked as ever.
   */
  async join(
    lock: LockHandle,
    key: string | string[],
    ttl: unknown,
    options: WithLockCallOptions,
    before: Promise<void> | undefined,
  ): Promise<void> {
    const chosen = toAcquireSettings(given(options), 'withLock', this.#settings);
    const plan = toAcquirePlan(key, ttl, chosen, this.#settings);
    const cancellation = this.#cancellable(chosen.signal);
    try {
      await this.#joinWith(lock, { ...plan, cancellation }, before);
    } finally {
      this.#end(cancellation);
    }
  }

  async #joinWith(lock: LockHandle, plan: AcquirePlan, before: Promise<void> | undefined): Promise<void> {
    const quorum = this.#shards.quorumOf(plan.keys);
    if (before !== undefined) {
      const turn = before.then(() => true);
      if (!(await withinMs(quorum.clock, turn, plan.waitMs, plan.cancellation))) {
        throw new LockContendedError(
          plan.keys,
          { owner: this.#settings.owner, remainingMs: lock.remaining },
          [],
          'held',
        );
      }
    }
    if (!lock.isHeld()) await lock.ensureHeld();
    if (plan.tick === undefined) return;
    const ofTick = { ...plan, claims: [], waitMs: 0 };
    const { token } = await acquire(quorum, ofTick);
    if (lock.isHeld()) return;
    // Meanwhile the lock may have ended: nothing is started under it, and the tick has not run (P6, P8).
    await lock.ensureHeld().catch((error: unknown) => {
      undo(quorum, ofTick, token, { tell: true });
      throw error;
    });
  }

  /** Deletes the lock that the servers have on the key, and gives it up if it is held here. Returns whether there was one. */
  async remove(key: string): Promise<boolean> {
    const { votes, tokens } = await remove(this.#shards.quorumOf([key]), lockKey(this.#settings.keyPrefix, key));
    for (const token of tokens) void this.#locks.get(token)?.lose('taken', votes);
    if (votes.length - count(votes, 'failed') < majorityOf(votes.length)) {
      throw new QuorumUnreachableError('release', [key], votes.length, votes);
    }
    return count(votes, 'released') > 0;
  }

  /** No more locks: who waits for one hears that it is over. */
  close(): void {
    this.#closed = true;
    for (const cancellation of this.#waiting) cancellation.cancel(new RedlockShutdownError());
  }

  /** Gives up everything that is still held, and waits until what is to be undone or given back has left. */
  async giveUp(): Promise<void> {
    this.#look.end();
    const { list, clock } = this.#shards;
    const queues = list.flatMap(({ quorum }) => quorum.queues);
    await Promise.all(
      [...this.#locks.values()].map(async (lock) => {
        const failure = await lock.lose('shutdown');
        if (failure instanceof Error) this.#logger?.warn(LEFT_BEHIND(lock.keys, failure.message));
      }),
    );
    // A waiter that was cancelled releases its votes, and its requests are queued after this.
    await new Promise<void>((resolve) => {
      clock.afterInput(resolve);
    });
    // A server that does not answer in time keeps it until its ttl is over.
    await withinMs(clock, Promise.all(queues.map((queue) => queue.idle())), this.#settings.nodeTimeoutMs);
  }
}
