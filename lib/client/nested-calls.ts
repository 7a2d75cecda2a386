import { acquire, type AcquirePlan } from '../core/acquire.js';
import { InvalidOptionsError, LockContendedError } from '../core/errors/index.js';
import type { LockHandle } from '../core/lock.js';
import type { Quorum } from '../core/quorum.js';
import { Refusal, refusedByShutdown } from '../core/refusal.js';
import { undo } from '../core/undo.js';
import { withinMs } from '../core/wait.js';
import type { Call } from './call.js';
import { whyPaused } from './jobs/why-paused.js';
import type { EventSource } from './event-source.js';
import type { LockRegistry } from './lock-registry.js';
import { findHeldAround, type HeldAround } from './lock-scope.js';
import { NOT_COVERED, WAITED_FOR_ITSELF, WAITS_FOR_ITSELF } from './messages.js';
import { toKeys } from './options/check.js';

/** Of calls that may wait for themselves so many are warned of, each once: a key of each request must not fill the log and the memory. */
const MOST_WARNINGS = 100;

/** Calls that are made within work that holds a lock of this client already. */
export class NestedCalls {
  readonly #warned = new Set<string>();

  constructor(
    private readonly registry: LockRegistry,
    private readonly events: EventSource,
    private readonly owner: string,
  ) {}

  /**
   * The innermost work around this async context that holds one of the keys, for a call that asks to run under its lock.
   *
   * @throws InvalidOptionsError where that lock does not have all keys: the call would wait for its own end
   */
  lenderOf(key: string | string[]): HeldAround<LockHandle> | undefined {
    const keys = toKeys(key);
    const own = this.#heldAround(keys);
    if (own === undefined) return undefined;
    const missing = keys.filter((each) => !own.lock.keys.includes(each));
    if (missing.length > 0) throw new InvalidOptionsError('reentrant', NOT_COVERED(own.keys, missing));
    return own;
  }

  /** For a call that waits like any other one: warns once if it may wait for itself, and gives what its error is to say of it. */
  hintFor({ plan, caller, kind }: Call): (() => string | undefined) | undefined {
    const own = this.#heldAround(plan.keys);
    if (own === undefined) return undefined;
    if (plan.waitMs > 0) this.#warn(own.keys, caller?.method ?? kind);
    return () => (own.lock.isHeld() && own.frame.lock !== undefined ? WAITED_FOR_ITSELF(own.keys) : undefined);
  }

  /** A call under a lock that is held already: it waits for its turn, and its tick, if it has one, is claimed. */
  async join(lock: LockHandle, call: Call, before: Promise<void> | undefined): Promise<Refusal | undefined> {
    const cancellation = this.registry.beginWait(call.chosen.signal);
    try {
      call.plan.cancellation = cancellation;
      return await this.#joinWith(lock, call, before);
    } catch (error) {
      return refusedByShutdown(error);
    } finally {
      this.registry.endWait(cancellation);
    }
  }

  async #joinWith(
    lock: LockHandle,
    { quorum, plan }: Call,
    before: Promise<void> | undefined,
  ): Promise<Refusal | undefined> {
    plan.cancellation?.throwIfCancelled();
    const { clock } = quorum;
    const calledAt = { ms: clock.nowMs(), wallMs: clock.wallMs() };
    if (before !== undefined) {
      const turn = before.then(() => true);
      if (!(await withinMs(clock, turn, plan.waitMs, plan.cancellation))) {
        const holder = { owner: this.owner, remainingMs: lock.remaining };
        return new Refusal('locked', () => new LockContendedError(plan.keys, holder, [], 'held'));
      }
    }
    if (plan.tick === undefined) return await whyNotBegin(lock, quorum, plan);
    // What is said of the tick counts from the call on, whatever it has waited for since.
    const sinceMs = Math.max(clock.nowMs() - calledAt.ms, clock.wallMs() - calledAt.wallMs);
    const [tickLeftMs, tickHoldMs] = [plan.tickLeftMs, plan.tickHoldMs].map((ms) => ms && ms - sinceMs);
    const { keys, ttlMs, maxRetries, tick, unreachableWaitMs, cancellation } = plan;
    const times = { ttlMs, maxRetries, tickLeftMs, tickHoldMs, unreachableWaitMs };
    const ofTick: AcquirePlan = { keys, claims: [], waitMs: 0, tick, ...times, cancellation };
    const grant = await acquire(quorum, ofTick);
    if (grant instanceof Refusal) return grant;
    // Meanwhile the lock may have ended, or the job may have been paused: nothing is started then, and the tick has not run (P6, P8, P20).
    let begins = false;
    try {
      const refusal = await whyNotBegin(lock, quorum, plan);
      begins = refusal === undefined;
      return refusal;
    } finally {
      if (begins) for (const queue of quorum.queues) queue.keep(grant.token);
      else undo(quorum, ofTick, grant.token, { tell: true });
    }
  }

  #heldAround(keys: readonly string[]): HeldAround<LockHandle> | undefined {
    return findHeldAround(keys, ({ token }) => {
      // This notices the end of a lock that is over. One that is in doubt after a suspension counts: no call may wait for itself.
      this.registry.get(token)?.isHeld();
      return this.registry.get(token);
    });
  }

  #warn(keys: readonly string[], caller: string): void {
    const about = JSON.stringify([caller, keys]);
    if (this.#warned.has(about) || this.#warned.size >= MOST_WARNINGS) return;
    this.#warned.add(about);
    const message = WAITS_FOR_ITSELF(keys, caller);
    this.events.emit('warning', { code: 'waits-for-itself', level: 'warn', message, keys });
  }
}

/** Throws where the lock is over. */
async function whyNotBegin(lock: LockHandle, quorum: Quorum, plan: AcquirePlan): Promise<Refusal | undefined> {
  const lockKey = plan.claims[0]?.key ?? '';
  const paused = plan.job && (await whyPaused(quorum, { register: plan.job.key, lock: lockKey, named: plan.keys }));
  if (paused === undefined && !lock.isHeld()) await lock.ensureHeld();
  return paused;
}
