import type { AcquirePlan } from './acquire.js';
import type { Bounds } from './bounds.js';
import type { Decision } from './decision.js';
import { acquireVerdict, acquireVerdictSoFar, type AcquireVerdict } from './verdicts.js';
import { agreeOnFence, agreedFence, type Agreement } from './fence.js';
import { Grant, Won } from './grant.js';
import { Question, type Asker } from './ask-servers.js';
import type { CancelListener } from './cancellation.js';
import type { Claim, NodeRequest } from './ports/lock-node.js';
import { nodeTimeoutMs, type Quorum } from './quorum.js';
import { AcquireRequest } from './requests.js';
import { runBegun } from './run-note.js';
import { newestPauseAgainst, repairPause } from './pause-repair.js';
import { ClockReading, maybeSuspended, readClocks, uncountedMs } from './suspension.js';
import { undo } from './undo.js';
import { deadlineAtMs } from './validity.js';
import type { Vote } from './vote.js';

/** What has asked for a round. It is called back once. */
export interface RoundCaller {
  onDecision(decision: Decision): void;
  onError(error: unknown): void;
}

/**
 * Asks every server once to grant the lock under this token, and calls back once. It undoes what it leaves behind, unless it is won,
 * or to be tried again: then the caller does.
 */
export class Round implements Asker<AcquireVerdict>, CancelListener {
  #isOpen = true;
  #request: NodeRequest | undefined;
  #wasSettledLate = false;
  #askedAt = new ClockReading(0, 0, 0);

  constructor(
    private readonly quorum: Quorum,
    private readonly plan: AcquirePlan,
    private readonly token: string,
    private readonly bounds: Bounds,
    private readonly caller: RoundCaller,
  ) {}

  ask(): void {
    const { quorum, plan, bounds, token } = this;
    const { rules, fencingStart } = quorum;
    plan.cancellation?.add(this);
    if (!this.#isOpen) return;
    this.#askedAt = readClocks(quorum.clock);
    if (bounds.tickIsOver()) {
      this.#end({ kind: 'late', votes: [] });
      return;
    }
    // The tick comes last: while its run may yet be undone, the others hear that it is locked, and stay.
    const { atMs } = this.#askedAt;
    const claims = plan.tick === undefined ? plan.claims : [...plan.claims, tickFrom(atMs, plan.tick, bounds)];
    const job = plan.job && runBegun(plan.job, quorum.clock.wallMs());
    const waits = plan.waitMs > 0;
    this.#request = new AcquireRequest(token, rules.owner, claims, fencingStart.next(), waits, bounds.waited, job);
    new Question<AcquireVerdict>(quorum, this).ask(this.#request, this.#timeoutMs());
  }

  get graceMs(): number {
    return 2 * this.bounds.lateSettledMs;
  }

  verdictOf(votes: readonly Vote[], servers: number): AcquireVerdict | 'undecided' | undefined {
    return acquireVerdict(votes, servers, this.token);
  }

  verdictSoFar(votes: readonly Vote[], servers: number): AcquireVerdict | undefined {
    return acquireVerdictSoFar(votes, servers, this.token, this.bounds.rivalMayLead);
  }

  onVerdict(verdict: AcquireVerdict, votes: readonly Vote[]): void {
    if (!this.#isOpen) return;
    const paused = this.plan.job && newestPauseAgainst(verdict, votes, this.plan.job);
    const denial = paused ?? (verdict.kind === 'won' ? undefined : verdict);
    if (denial !== undefined) {
      this.#end({ ...denial, votes });
      return;
    }
    const { quorum } = this;
    const fence = agreedFence(votes, quorum.queues.length);
    if (fence !== undefined) this.#onFence(fence, votes);
    else if (this.#request !== undefined) {
      agreeOnFence(quorum, this.#request, votes, this.#timeoutMs()).then(
        (agreement) => {
          this.#onAgreed(agreement, votes);
        },
        (error: unknown) => {
          this.onError(error);
        },
      );
    }
  }

  #onAgreed(agreement: Agreement, votes: readonly Vote[]): void {
    if (!this.#isOpen) return;
    if (agreement.fence === undefined) this.#end({ kind: 'unconfirmed', votes: agreement.votes });
    else this.#onFence(agreement.fence, votes);
  }

  #onFence(fence: number, votes: readonly Vote[]): void {
    const { quorum, plan, token } = this;
    const { clock, rules } = quorum;
    const askedAt = this.#askedAt;
    quorum.fencingStart.note(fence);
    const grant = new Grant(token, fence, askedAt, deadlineAtMs(askedAt.atMs, plan.ttlMs, rules.driftFactor));
    // P19: after a suspension of the machine the lock may be over on the servers.
    const now = readClocks(clock);
    const isOver =
      now.atMs + uncountedMs(askedAt, now, rules.driftFactor) >= grant.deadlineAtMs || this.bounds.tickIsOver();
    const isTrusted = !isOver && !maybeSuspended(askedAt, now, rules.driftFactor);
    this.#end(isTrusted ? new Won(grant, votes) : { kind: 'late', votes });
  }

  onLateVote(_: Vote, verdict: AcquireVerdict, votes: readonly Vote[]): void {
    if (this.plan.job) repairPause(this.quorum, this.plan.job, votes);
    if (this.#wasSettledLate) return;
    const later = acquireVerdict(votes, this.quorum.queues.length, this.token);
    if (typeof later !== 'object') return;
    const hasLed = verdict.kind === 'contested' && verdict.leading;
    if (hasLed && later.kind === 'contested' && !later.leading) this.bounds.rivalMayLead = true;
    if (later.kind !== 'won' && later.kind !== 'held') return;
    // By now that lock may be over. A server that was heard late once is waited for all the same.
    this.#wasSettledLate = true;
    this.bounds.lateSettledMs = this.quorum.clock.nowMs() - this.#askedAt.atMs;
  }

  onCancelled(reason: unknown): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.plan.cancellation?.remove(this);
    // Before it has asked there is nothing to undo.
    if (this.#request !== undefined) undo(this.quorum, this.plan, this.token, { tell: true });
    this.caller.onError(reason);
  }

  #end(decision: Decision): void {
    this.#isOpen = false;
    this.plan.cancellation?.remove(this);
    if (this.plan.job) repairPause(this.quorum, this.plan.job, decision.votes);
    const { kind } = decision;
    if (kind !== 'won' && kind !== 'contested' && kind !== 'unconfirmed') {
      // Where another process holds the lock no process waits for this one, and two waiters would wake each other for ever.
      undo(this.quorum, this.plan, this.token, { tell: kind !== 'held', isHeld: kind === 'held' });
    }
    this.caller.onDecision(decision);
  }

  onError(error: unknown): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.plan.cancellation?.remove(this);
    undo(this.quorum, this.plan, this.token, { tell: true });
    this.caller.onError(error);
  }

  #timeoutMs(): number {
    const { clock, rules } = this.quorum;
    return Math.max(0, Math.min(nodeTimeoutMs(rules, this.plan.ttlMs), this.bounds.endAtMs - clock.nowMs()));
  }
}

function tickFrom(nowMs: number, tick: Claim, { tickHoldUntilMs }: Bounds): Claim {
  return tickHoldUntilMs === undefined ? tick : { ...tick, ttlMs: Math.max(1, tickHoldUntilMs - nowMs) };
}
