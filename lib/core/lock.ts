import type { AcquirePlan, Grant } from './acquire.js';
import { confirmHeld } from './confirm-held.js';
import { Deadline, type SentExtension } from './deadline.js';
import { LockLostError, type LossReason } from './errors/lock-lost.error.js';
import { LockReleasedError } from './errors/lock-released.error.js';
import { QuorumUnreachableError } from './errors/quorum-unreachable.error.js';
import { extend } from './extend.js';
import { releaseAndHandOver } from './release-and-hand-over.js';
import { heal } from './heal.js';
import type { HoldOptions } from './hold-options.js';
import type { Cancel } from './ports/clock.js';
import type { Claim } from './ports/lock-node.js';
import { nodeTimeoutMs, type Quorum } from './quorum.js';
import { readClocks } from './suspension.js';
import type { Vote } from './vote.js';

/** The first try to extend comes when this part of the ttl is over: two more fit in before the end. */
const EXTEND_AFTER = 1 / 3;

/** After an extension with too few answers, the next comes when this part of what is left is over. */
const EXTEND_AGAIN_AFTER = 1 / 4;

/** The signal aborts at most this much before the validity ends: the resolution of timers, and what they may be late. */
const EARLY_MS = 2;

/** A lock that was granted: it knows until when it may be trusted, says so before that is over, and can be given back. */
export class LockHandle {
  readonly keys: readonly string[];
  readonly token: string;
  readonly fencingToken: number;

  #state: 'held' | 'lost' | 'released' = 'held';
  #loss: LockLostError | undefined;
  /** Made when somebody looks at the signal. */
  #abort: AbortController | undefined;
  #ttlMs: number;
  readonly #deadline: Deadline;

  /** Under way while the servers are asked whether the lock outlived a suspension of this machine. */
  #confirming: Promise<void> | undefined;
  #releasing: Promise<void> | undefined;
  /** What the servers said to the last extension without a majority. */
  #votes: readonly Vote[] = [];

  /** What is to be done next, and when; on the monotonic clock. */
  #next: { readonly atMs: number; readonly todo: () => void } | undefined;
  #cancelTimer: Cancel = nothing;

  // Private to the language, too: a lock that is printed must not show clients and their passwords.
  readonly #quorum: Quorum;
  readonly #plan: AcquirePlan;
  readonly #grant: Grant;
  readonly #keep: HoldOptions;

  constructor(quorum: Quorum, plan: AcquirePlan, grant: Grant, keep: HoldOptions) {
    const { clock, rules } = quorum;
    this.#quorum = quorum;
    this.#plan = plan;
    this.#grant = grant;
    this.#keep = keep;
    this.keys = Object.freeze([...plan.keys]);
    this.token = grant.token;
    this.fencingToken = grant.fence;
    this.#ttlMs = plan.ttlMs;
    // Not from the grant on: while the servers answered this process may have been paused, and the lock was not handed out yet.
    this.#deadline = new Deadline(clock, rules.driftFactor, grant, clock.nowMs() + keep.maxHoldMs);
    this.#extendLater(this.#ttlMs * EXTEND_AFTER - (clock.nowMs() - grant.grantedAtMs));
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#loss !== undefined) this.#abort.abort(this.#loss);
    }
    return this.#abort.signal;
  }

  get remaining(): number {
    return this.#state === 'held' && !this.#isInDoubt() ? this.#deadline.leftMs : 0;
  }

  /**
   * Goes by the clocks, not by timers: after a stall of the event loop a timer may not have fired yet. False also while it is
   * not known whether the lock outlived a suspension of the machine; the servers are asked, and may say that it is held.
   */
  isHeld(): boolean {
    this.#noticeEnd();
    return this.#state === 'held' && !this.#isInDoubt();
  }

  assertHeld(): void {
    this.#throwIfOver('hold');
    if (this.#isInDoubt()) throw new LockLostError(this.keys, 'suspended', this.#votes);
  }

  /** Waits for what the servers say, where the machine was suspended, and throws then unless the lock is held. */
  async ensureHeld(): Promise<void> {
    if (this.#state === 'held' && this.#isInDoubt()) await this.#confirm();
    this.assertHeld();
  }

  /** As {@link ensureHeld}, but where the lock was released, all was well until the end. */
  async ensureNotLost(): Promise<void> {
    if (this.#state !== 'released') await this.ensureHeld();
  }

  async extend(ttl?: number | string): Promise<void> {
    const ttlMs = ttl === undefined ? this.#ttlMs : this.#keep.toTtlMs(ttl);
    this.#throwIfOver('extend');
    const { renewal, votes } = await this.#extendOnce(ttlMs);
    // It may have been lost or released while the servers were asked, and that is what counts then.
    this.#throwIfOver('extend');
    if (renewal === 'unknown') {
      throw new QuorumUnreachableError('extend', this.keys, this.#quorum.queues.length, votes);
    }
  }

  /** Several calls at once are one. */
  release(): Promise<void> {
    if (this.#releasing !== undefined) return this.#releasing;
    if (this.#state === 'released') return Promise.reject(new LockReleasedError(this.keys, 'release'));
    this.#noticeEnd();
    if (this.#state === 'held') return (this.#releasing = this.#release());
    // What a lost lock has left behind is being cleaned up already.
    this.#state = 'released';
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#releasing !== undefined || this.#state !== 'released' ? this.release() : Promise.resolve();
  }

  /**
   * Gives the lock up as lost: the signal aborts at once. The promise is for what is left of it on the servers: it resolves to why that
   * could not be given back, or to undefined. It never rejects.
   */
  async lose(reason: LossReason, votes: readonly Vote[] = []): Promise<unknown> {
    if (this.#state !== 'held') return undefined;
    this.#end('lost');
    const givenBack = this.#releaseAndHandOver().then(nothing, (error: unknown) => error);
    this.#abortWith(new LockLostError(this.keys, reason, votes));
    return await givenBack;
  }

  /** Asks the servers where the machine was suspended since they confirmed the lock. Otherwise it does nothing. */
  look(): void {
    if (this.#state === 'held') this.#isInDoubt();
  }

  #noticeEnd(): void {
    if (this.#state === 'held' && this.#deadline.leftMs === 0) void this.lose('expired', this.#votes);
  }

  #throwIfOver(verb: 'hold' | 'extend'): void {
    this.#noticeEnd();
    if (this.#state === 'released') throw new LockReleasedError(this.keys, verb);
    if (this.#loss !== undefined) throw this.#loss;
  }

  #abortWith(error: LockLostError): void {
    this.#loss = error;
    this.#abort?.abort(error);
    this.#keep.onLost?.(error);
  }

  async #release(): Promise<void> {
    this.#end('released');
    try {
      const { gone, votes } = await this.#releaseAndHandOver();
      // Once its time is over the servers forget it by themselves, and that it is gone proves nothing.
      if (!gone || this.#deadline.leftMs === 0) {
        this.#keep.onReleased?.();
        return;
      }
      this.#state = 'lost';
      const error = new LockLostError(this.keys, 'taken', votes);
      this.#abortWith(error);
      throw error;
    } finally {
      this.#releasing = undefined;
    }
  }

  #end(state: 'lost' | 'released'): void {
    this.#state = state;
    this.#cancelTimer();
    this.#keep.onEnd?.();
  }

  #releaseAndHandOver(): ReturnType<typeof releaseAndHandOver> {
    return releaseAndHandOver(this.#quorum, this.#plan, this.#grant, this.#keep);
  }

  /** Whether the machine may have been suspended since the servers have confirmed the lock. Then they are asked. */
  #isInDoubt(): boolean {
    const inDoubt = this.#deadline.isInDoubt();
    if (inDoubt) void this.#confirm();
    return inDoubt;
  }

  #confirm(): Promise<void> {
    this.#confirming ??= this.#confirmOnce().finally(() => {
      this.#confirming = undefined;
    });
    return this.#confirming;
  }

  async #confirmOnce(): Promise<void> {
    const { clock, rules } = this.#quorum;
    const askedAt = readClocks(clock);
    const timeoutMs = Math.min(nodeTimeoutMs(rules, this.#ttlMs), this.#deadline.leftMs);
    const answer = await confirmHeld(this.#quorum, this.token, this.#plan.claims, timeoutMs);
    if (this.#state !== 'held') return;
    if (answer.kind === 'gone') void this.lose('taken', answer.votes);
    else if (answer.kind === 'held') {
      this.#deadline.onConfirmed(askedAt, answer.leftMs);
      this.#extendLater(0);
    } else {
      this.#votes = answer.votes;
      this.#later(this.#retryDelayMs, () => {
        // Where the wall clock was set right meanwhile there is no doubt any more, and the extensions go on.
        if (this.#state === 'held' && !this.#isInDoubt()) this.#extendLater(0);
      });
    }
  }

  async #extendOnce(ttlMs: number): Promise<Awaited<ReturnType<typeof extend>>> {
    const validityMs = this.#deadline.leftMs;
    const sent = this.#deadline.onSent(ttlMs);
    this.#setTimer();
    // What waits for the end of a ttl that becomes shorter must hear of it.
    const shorter = ttlMs < this.#ttlMs;
    const claims = this.#claimsFor(ttlMs).map((claim) => ({ ...claim, channel: shorter ? claim.key : undefined }));
    const { token, fence } = this.#grant;
    const onLateVote = (vote: Vote): void => {
      this.#heal([vote]);
    };
    const result = await extend(this.#quorum, { token, fence, claims, ttlMs, validityMs, onLateVote });
    this.#noticeEnd();
    if (this.#state !== 'held') return result;
    if (result.renewal === 'lost') void this.lose('taken', result.votes);
    else if (result.renewal === 'renewed') this.#onRenewed(sent, ttlMs, result.votes);
    else {
      this.#votes = result.votes;
      this.#extendLater(this.#retryDelayMs);
    }
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
    if (!votes.some(({ outcome }) => outcome === 'absent') || !this.isHeld()) return;
    const { token, fence } = this.#grant;
    const claims = this.#claimsFor(this.#ttlMs);
    heal(this.#quorum, { token, fence, claims }, votes);
  }

  #onRenewed(sent: SentExtension, ttlMs: number, votes: readonly Vote[]): void {
    if (this.#deadline.onRenewed(sent)) {
      this.#ttlMs = ttlMs;
      this.#votes = [];
      this.#extendLater(ttlMs * EXTEND_AFTER);
      this.#keep.onExtended?.();
    }
    this.#heal(votes);
  }

  get #retryDelayMs(): number {
    return Math.max(this.#quorum.rules.retryDelayMs, this.#deadline.leftMs * EXTEND_AGAIN_AFTER);
  }

  #extendLater(delayMs: number): void {
    if (!this.#keep.autoExtend) this.#setTimer();
    else {
      this.#later(delayMs, () => {
        if (this.isHeld()) void this.#extendOnce(this.#ttlMs);
      });
    }
  }

  /** The next thing to do for the lock, in the place of what was to be done. */
  #later(delayMs: number, todo: () => void): void {
    this.#next = { atMs: this.#quorum.clock.nowMs() + Math.max(0, delayMs), todo };
    this.#setTimer();
  }

  /**
   * One local timer, for what is to be done next and for the end, so that the signal aborts in time whatever the network does. Timers
   * are late rather than early, and the wall clock may run faster than theirs: so for the end it comes a little before its time,
   * and looks how much is left.
   */
  #setTimer(): void {
    const { clock, rules } = this.#quorum;
    const leftMs = this.#deadline.leftMs;
    const guardMs = Math.max(leftMs >= EARLY_MS ? 1 : 0, Math.floor(leftMs * (1 - rules.driftFactor)) - 1);
    const todoMs = this.#next === undefined ? Infinity : Math.max(0, this.#next.atMs - clock.nowMs());
    this.#cancelTimer();
    this.#cancelTimer = clock.after(Math.min(guardMs, todoMs), this.#onTimer, 'background');
  }

  readonly #onTimer = (): void => {
    if (this.#deadline.leftMs < EARLY_MS) {
      void this.lose('expired', this.#votes);
      return;
    }
    const next = this.#next;
    if (next !== undefined && next.atMs <= this.#quorum.clock.nowMs()) {
      this.#next = undefined;
      next.todo();
    }
    if (this.#state === 'held') this.#setTimer();
  };
}

function nothing(): undefined {
  return undefined;
}
