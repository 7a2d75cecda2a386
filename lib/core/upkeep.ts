import type { AcquirePlan } from './acquire.js';
import type { Grant } from './grant.js';
import { Question } from './ask-servers.js';
import { confirmHeld } from './confirm-held.js';
import { Deadline } from './deadline.js';
import type { LossReason } from './errors/lock-lost.error.js';
import { claimsFor, Extension, extendRequest, nextExtensionAtMs, type ExtensionCaller } from './extend.js';
import { heal } from './heal.js';
import type { HoldOptions } from './hold-options.js';
import type { Cancel } from './ports/clock.js';
import type { NodeRequest } from './ports/lock-node.js';
import { nodeTimeoutMs, type Quorum } from './quorum.js';
import { readClocks } from './suspension.js';
import type { Renewal } from './verdicts.js';
import type { Vote } from './vote.js';

/** After an extension with too few answers, the next comes when this part of what is left is over. */
const EXTEND_AGAIN_AFTER = 1 / 4;

/** The signal aborts at most this much before the validity ends: the resolution of timers, and what they may be late. */
const EARLY_MS = 2;

/** Keeps a lock while it is held: extends it, heals it, notices its end, and asks the servers after a suspension of the machine. */
export class Upkeep implements ExtensionCaller {
  #isStopped = false;
  #ttlMs: number;
  readonly #deadline: Deadline;
  /** What the servers said to the last extension without a majority. */
  #votes: readonly Vote[] = [];
  /** Under way while the servers are asked whether the lock outlived a suspension of this machine. */
  #confirming: Promise<void> | undefined;
  /** What an extension with the ttl of the lock asks for: made once. */
  #request: NodeRequest | undefined;

  /** When to look at the lock, and to extend it where that is automatic; on the monotonic clock. */
  #nextAtMs = Infinity;
  #timerAtMs = Infinity;
  #cancelTimer: Cancel | undefined;

  constructor(
    private readonly quorum: Quorum,
    private readonly plan: AcquirePlan,
    private readonly grant: Grant,
    private readonly keep: HoldOptions,
    /** Called when the lock is over. It stops the upkeep. */
    private readonly onOver: (reason: LossReason, votes: readonly Vote[]) => void,
  ) {
    const { clock, rules } = quorum;
    this.#ttlMs = plan.ttlMs;
    // The hold does not count from the grant on: while the servers answered this process may have been paused, and the lock was not handed out yet.
    this.#deadline = new Deadline(clock, rules.driftFactor, grant, clock.nowMs() + keep.maxHoldMs);
    this.#extendAfter(grant.grantedAtMs, this.#ttlMs);
    this.#setTimer();
  }

  get ttlMs(): number {
    return this.#ttlMs;
  }

  get votes(): readonly Vote[] {
    return this.#votes;
  }

  get leftMs(): number {
    return this.#deadline.leftMs;
  }

  /**
   * Whether the lock is held, from what is known here. In doubt: the machine may have been suspended since the servers have confirmed
   * it. Then they are asked.
   */
  check(): 'held' | 'in doubt' | 'over' {
    const now = readClocks(this.quorum.clock);
    if (this.#deadline.leftAt(now) === 0) return 'over';
    if (!this.#deadline.isInDoubt(now)) return 'held';
    void this.confirm();
    return 'in doubt';
  }

  /** Resolves when the servers have been asked, or have not answered. */
  confirm(): Promise<void> {
    this.#confirming ??= this.#confirmOnce().finally(() => {
      this.#confirming = undefined;
    });
    return this.#confirming;
  }

  /** Sends an extension. Settles within one node timeout, and before the old validity ends. */
  extend(ttlMs: number, onDone?: (renewal: Renewal, votes: readonly Vote[]) => void): void {
    const validityMs = this.leftMs;
    const sent = this.#deadline.onSent(ttlMs);
    this.#extendAfter(sent.askedAt.atMs, ttlMs);
    this.#setTimer();
    const timeoutMs = Math.min(nodeTimeoutMs(this.quorum.rules, ttlMs), validityMs);
    const extension = new Extension(ttlMs, sent, this, onDone);
    const request = ttlMs === this.#ttlMs ? (this.#request ??= this.#ask(ttlMs)) : this.#ask(ttlMs);
    new Question<Renewal>(this.quorum, extension).ask(request, timeoutMs);
  }

  /** The lock is not held any more. */
  stop(): void {
    this.#isStopped = true;
    this.#cancelTimer?.();
  }

  onRenewal({ sent, ttlMs }: Extension, renewal: Renewal, votes: readonly Vote[]): void {
    if (this.#isOver()) return;
    if (renewal === 'lost') this.onOver('taken', votes);
    else if (renewal === 'renewed') {
      if (this.#deadline.onRenewed(sent)) this.#onExtended(ttlMs);
      this.#heal(votes);
    } else this.#tryAgainLater(votes);
  }

  onLateVote(vote: Vote): void {
    this.#heal([vote]);
  }

  #onExtended(ttlMs: number): void {
    if (ttlMs !== this.#ttlMs) this.#request = undefined;
    this.#ttlMs = ttlMs;
    this.#votes = [];
    this.#setTimer();
    this.keep.onExtended?.();
  }

  async #confirmOnce(): Promise<void> {
    const { clock, rules } = this.quorum;
    const askedAt = readClocks(clock);
    const timeoutMs = Math.min(nodeTimeoutMs(rules, this.#ttlMs), this.leftMs);
    const answer = await confirmHeld(this.quorum, this.grant.token, this.plan.claims, timeoutMs);
    if (this.#isStopped) return;
    if (answer.kind === 'gone') this.onOver('taken', answer.votes);
    else if (answer.kind === 'held') {
      this.#deadline.onConfirmed(askedAt, answer.leftMs);
      if (this.keep.autoExtend) this.#nextAtMs = clock.nowMs();
      this.#setTimer();
    } else this.#tryAgainLater(answer.votes);
  }

  #ask(ttlMs: number): NodeRequest {
    return extendRequest(this.quorum.rules.owner, this.plan, this.grant, ttlMs, ttlMs < this.#ttlMs);
  }

  #heal(votes: readonly Vote[]): void {
    if (!votes.some(({ outcome }) => outcome === 'absent') || this.#isOver() || this.check() !== 'held') return;
    const { token, fence } = this.grant;
    heal(this.quorum, { token, fence, claims: claimsFor(this.plan, this.#ttlMs) }, votes);
  }

  /** Notices the end, too. */
  #isOver(): boolean {
    if (!this.#isStopped && this.leftMs === 0) this.onOver('expired', this.#votes);
    return this.#isStopped;
  }

  #extendAfter(sentAtMs: number, ttlMs: number): void {
    // Where the allowance for clocks takes more than a third of the ttl, the end comes earlier, too.
    const share = Math.min(1, 1.5 * (1 - this.quorum.rules.driftFactor));
    if (this.keep.autoExtend) this.#nextAtMs = nextExtensionAtMs(sentAtMs, ttlMs * share);
  }

  #tryAgainLater(votes: readonly Vote[]): void {
    const { clock, rules } = this.quorum;
    this.#votes = votes;
    this.#nextAtMs = clock.nowMs() + Math.max(rules.retryDelayMs, this.leftMs * EXTEND_AGAIN_AFTER);
    this.#setTimer();
  }

  /**
   * One local timer, for what is to be done next and for the end, so that the signal aborts in time whatever the network does. Timers
   * are late rather than early, and the wall clock may run faster than theirs: so for the end it comes a little before its time,
   * and looks how much is left. One that is set already and comes earlier stays: it looks again.
   */
  #setTimer(): void {
    const { clock, rules } = this.quorum;
    const now = readClocks(clock);
    const leftMs = this.#deadline.leftAt(now);
    const endMs = Math.max(leftMs >= EARLY_MS ? 1 : 0, Math.floor(leftMs * (1 - rules.driftFactor)) - 1);
    const atMs = Math.min(now.atMs + endMs, Math.max(now.atMs, this.#nextAtMs));
    if (this.#cancelTimer !== undefined && this.#timerAtMs <= atMs) return;
    this.#cancelTimer?.();
    this.#timerAtMs = atMs;
    this.#cancelTimer = clock.after(atMs - now.atMs, this.#onTimer, 'background');
  }

  readonly #onTimer = (): void => {
    this.#cancelTimer = undefined;
    if (this.leftMs < EARLY_MS) {
      this.onOver('expired', this.#votes);
      return;
    }
    if (this.#nextAtMs <= this.quorum.clock.nowMs()) {
      this.#nextAtMs = Infinity;
      if (this.check() === 'held' && this.keep.autoExtend) this.extend(this.#ttlMs);
    }
    if (!this.#isStopped) this.#setTimer();
  };
}
