import type { AcquirePlan, Grant } from './acquire.js';
import { LockLostError, type LossReason } from './errors/lock-lost.error.js';
import { LockReleasedError } from './errors/lock-released.error.js';
import { QuorumUnreachableError } from './errors/quorum-unreachable.error.js';
import { extend } from './extend.js';
import { giveBack } from './give-back.js';
import { heal } from './heal.js';
import type { Cancel } from './ports/clock.js';
import type { Claim } from './ports/lock-node.js';
import type { Quorum } from './quorum.js';
import { deadlineAtMs } from './validity.js';
import type { Vote } from './vote.js';
import { WorkTracker } from './work-tracker.js';

/** How a lock is kept, beyond what it takes to get it. All in milliseconds. */
export interface KeepPlan {
  /** Extend it by itself while it is held. */
  readonly autoExtend: boolean;
  /** Others are kept out for at least this long after the grant, even when the lock is released earlier. */
  readonly minHoldMs: number;
  /** So long after it was handed out the lock is over, however often it was extended. */
  readonly maxHoldMs: number;
  /** Checks a ttl that a caller asks for, and gives it in milliseconds. */
  toTtlMs(ttl: number | string): number;
  /** Called once, when the lock is not held any more. */
  onEnd?(): void;
}

/** The first try to extend comes when this part of the ttl is over: two more fit in before the end. */
const EXTEND_AFTER = 1 / 3;

/** After an extension with too few answers, the next comes when this part of what is left is over. */
const EXTEND_AGAIN_AFTER = 1 / 4;

interface Sending {
  readonly deadlineAtMs: number;
}

/** A lock that was granted: it knows until when it may be trusted, says so before that is over, and can be given back. */
export class HeldLock {
  readonly keys: readonly string[];
  readonly token: string;
  readonly fencingToken: number;

  readonly #abort = new AbortController();
  readonly #borrowers: WorkTracker;
  #state: 'held' | 'lost' | 'released' = 'held';
  #ttlMs: number;
  #deadlineAtMs: number;
  readonly #latestAtMs: number;

  /**
   * The deadlines that extensions would give, from the newest that has succeeded on, in the order in which they were
   * sent. An extension without a majority may still have been carried out on some servers, so a shorter one binds us.
   */
  #sent: Sending[] = [];
  #cancelDeadline: Cancel = () => undefined;
  #cancelExtension: Cancel = () => undefined;

  // Private to the language, too: a lock that somebody prints must not show clients and their passwords.
  readonly #quorum: Quorum;
  readonly #plan: AcquirePlan;
  readonly #grant: Grant;
  readonly #keep: KeepPlan;

  constructor(quorum: Quorum, plan: AcquirePlan, grant: Grant, keep: KeepPlan) {
    this.#quorum = quorum;
    this.#plan = plan;
    this.#grant = grant;
    this.#keep = keep;
    this.#borrowers = new WorkTracker(quorum.clock);
    this.keys = Object.freeze([...plan.keys]);
    this.token = grant.token;
    this.fencingToken = grant.fence;
    this.#ttlMs = plan.ttlMs;
    // Not from the grant on: while the servers answered this process may have stood still, and nobody had the lock yet.
    this.#latestAtMs = quorum.clock.nowMs() + keep.maxHoldMs;
    this.#deadlineAtMs = Math.min(grant.deadlineAtMs, this.#latestAtMs);
    this.#guardDeadline();
    this.#extendLater(this.#ttlMs * EXTEND_AFTER - (quorum.clock.nowMs() - grant.grantedAtMs));
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get remaining(): number {
    if (this.#state !== 'held') return 0;
    return Math.max(0, this.#deadlineAtMs - this.#quorum.clock.nowMs());
  }

  /** Goes by the clock, not by the timer: after a stall of the event loop the timer may not have fired yet. */
  isHeld(): boolean {
    if (this.#state === 'held' && this.remaining === 0) void this.lose('expired');
    return this.#state === 'held';
  }

  assertHeld(): void {
    if (this.isHeld()) return;
    throw this.#state === 'released' ? new LockReleasedError(this.keys, 'hold') : this.#lossError();
  }

  /** Not where it was released: then all was well until the end. */
  throwIfLost(): void {
    this.isHeld(); // Notices a loss that no timer has had the time to notice.
    this.signal.throwIfAborted();
  }

  async extend(ttl?: number | string): Promise<void> {
    const ttlMs = ttl === undefined ? this.#ttlMs : this.#keep.toTtlMs(ttl);
    if (!this.isHeld())
      throw this.#state === 'released' ? new LockReleasedError(this.keys, 'extend') : this.#lossError();
    const { renewal, votes } = await this.#extendOnce(ttlMs);
    // It may have been lost or released while the servers were asked, and that is what counts then.
    if (!this.isHeld())
      throw this.#state === 'released' ? new LockReleasedError(this.keys, 'extend') : this.#lossError();
    if (renewal === 'unknown') {
      throw new QuorumUnreachableError('extend', this.keys, this.#quorum.couriers.length, votes);
    }
  }

  /**
   * Runs work that somebody else does under this lock, and must not outlive it. Work that ended well after the lock was
   * lost rejects with the loss.
   */
  async lend<T>(work: () => Promise<T>): Promise<T> {
    const result = await this.#borrowers.track(work);
    this.throwIfLost();
    return result;
  }

  /** Resolves when nobody works under it any more to whom it was lent. */
  async unlent(): Promise<void> {
    await this.#borrowers.settle();
  }

  async release(): Promise<void> {
    if (this.#state === 'released') throw new LockReleasedError(this.keys, 'release');
    const wasLost = !this.isHeld();
    this.#end('released');
    // What a lost lock has left behind is being cleaned up already.
    if (!wasLost) await this.#giveBack();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#state !== 'released') await this.release();
  }

  /**
   * Gives the lock up as lost: the signal aborts at once. The promise is for what is left of it on the servers, and never
   * rejects: nobody can be told more than the signal says.
   */
  async lose(reason: LossReason, votes: readonly Vote[] = []): Promise<void> {
    if (this.#state !== 'held') return;
    this.#end('lost');
    const givenBack = this.#giveBack().catch(() => undefined);
    this.#abort.abort(new LockLostError(this.keys, reason, votes));
    await givenBack;
  }

  #lossError(): LockLostError {
    return this.#abort.signal.reason as LockLostError;
  }

  #end(state: 'lost' | 'released'): void {
    this.#state = state;
    this.#cancelDeadline();
    this.#cancelExtension();
    this.#keep.onEnd?.();
  }

  #giveBack(): Promise<void> {
    return giveBack(this.#quorum, this.#plan, this.#grant, this.#keep);
  }

  async #extendOnce(ttlMs: number): Promise<Awaited<ReturnType<typeof extend>>> {
    const { clock, rules } = this.#quorum;
    const validityMs = this.remaining;
    const sending = { deadlineAtMs: deadlineAtMs(clock.nowMs(), ttlMs, rules.driftFactor) };
    this.#sent.push(sending);
    this.#setDeadline(Math.min(this.#deadlineAtMs, sending.deadlineAtMs));
    // Who waits for the end of a ttl that becomes shorter must hear of it.
    const shorter = ttlMs < this.#ttlMs;
    const claims = this.#claimsFor(ttlMs).map((claim) => ({ ...claim, channel: shorter ? claim.key : undefined }));
    const { token, fence } = this.#grant;
    const onLateVote = (vote: Vote): void => {
      this.#heal([vote]);
    };
    const result = await extend(this.#quorum, { token, fence, claims, ttlMs, validityMs, onLateVote });
    if (!this.isHeld()) return result;
    if (result.renewal === 'lost') void this.lose('taken', result.votes);
    else if (result.renewal === 'renewed') {
      this.#onRenewed(sending, ttlMs);
      this.#heal(result.votes);
    } else this.#extendLater(Math.max(rules.retryDelayMs, this.remaining * EXTEND_AGAIN_AFTER));
    return result;
  }

  #claimsFor(ttlMs: number): readonly Claim[] {
    return this.#plan.claims.map(({ guardMs = 0, ...claim }) => ({
      ...claim,
      ttlMs,
      guardMs: Math.max(ttlMs, guardMs),
    }));
  }

  #heal(votes: readonly Vote[]): void {
    if (!this.isHeld()) return;
    const { token, fence } = this.#grant;
    const claims = this.#claimsFor(this.#ttlMs);
    heal(this.#quorum, { token, fence, claims }, votes);
  }

  #onRenewed(sending: Sending, ttlMs: number): void {
    const index = this.#sent.indexOf(sending);
    if (index < 0) return; // A newer one has been confirmed before.
    this.#sent = this.#sent.slice(index);
    this.#ttlMs = ttlMs;
    this.#setDeadline(Math.min(this.#latestAtMs, ...this.#sent.map((each) => each.deadlineAtMs)));
    this.#extendLater(ttlMs * EXTEND_AFTER);
  }

  #setDeadline(deadlineAtMs: number): void {
    if (deadlineAtMs === this.#deadlineAtMs) return;
    this.#deadlineAtMs = deadlineAtMs;
    this.#guardDeadline();
  }

  /** A local timer, so that the signal aborts in time whatever the network does. Timers are late rather than early. */
  #guardDeadline(): void {
    this.#cancelDeadline();
    this.#cancelDeadline = this.#quorum.clock.after(
      Math.max(0, Math.floor(this.remaining) - 1),
      () => {
        void this.lose('expired');
      },
      'background',
    );
  }

  #extendLater(delayMs: number): void {
    if (!this.#keep.autoExtend) return;
    this.#cancelExtension();
    this.#cancelExtension = this.#quorum.clock.after(
      Math.max(0, delayMs),
      () => {
        if (this.isHeld()) void this.#extendOnce(this.#ttlMs);
      },
      'background',
    );
  }
}
