import type { Cancellation } from './cancellation.js';
import { admit, admitAtOnce, leave, tooBusyVotes } from './admission.js';
import { Deadlines } from './deadlines.js';
import type { Grant } from './grant.js';
import { giveUp, goOn, granted, waitAndAsk } from './keep-asking.js';
import type { RunTrigger } from './ports/job-note.js';
import type { Claim } from './ports/lock-node.js';
import type { Quorum } from './quorum.js';
import type { Decision } from './decision.js';
import { refuse, type Refusal } from './refusal.js';
import { Round, type RoundCaller } from './round.js';
import type { PermitWaiter } from './semaphore.js';
import type { Turn } from './turn.js';

/** What is to be locked, and how hard to try. */
export interface AcquirePlan {
  /** The keys as the caller knows them, for messages. */
  readonly keys: readonly string[];
  /** The locked keys as the servers know them. */
  readonly claims: readonly Claim[];
  /** The key of a tick: claimed together with the lock, and left behind when the lock is released. */
  readonly tick?: Claim | undefined;
  /** For so long from the call on, if the tick has run its claim is sure to be there. Later it must not be asked for any more. */
  readonly tickLeftMs?: number | undefined;
  /** The claim of the tick ends so long after the call, however late the lock is granted. Default: its ttl after the grant. */
  readonly tickHoldMs?: number | undefined;
  /** The job that this is a run of: the servers keep a register of it, and deny the lock while it is paused. */
  readonly job?: JobPlan | undefined;
  readonly ttlMs: number;
  /** How long to keep trying while another holder has the lock; 0 is one decision. */
  readonly waitMs: number;
  /**
   * How long to keep trying while no majority of the servers can be reached, from the call on. Default: `waitMs`, and never
   * less. When a majority answers again, a lock that is held then is waited for anew: for `waitMs`, but not beyond this time.
   */
  readonly unreachableWaitMs?: number | undefined;
  /** How many more rounds after the first, those of a contest included. In a round every server is asked once. */
  readonly maxRetries: number;
  readonly cancellation?: Cancellation | undefined;
  /** What the error of a held lock says besides, where there is something to say. */
  readonly hint?: (() => string | undefined) | undefined;
}

export interface JobPlan {
  /** Where the servers keep its register. */
  readonly key: string;
  readonly trigger: RunTrigger;
  /** The tick in epoch ms; 0 where there is none. */
  readonly tickMs: number;
}

/**
 * Takes the lock, or rejects: {@link LockContendedError}, {@link QuorumUnreachableError}, or the
 * reason of the cancellation. It settles within `waitMs` (or `unreachableWaitMs`, while no majority can be reached) and two node
 * timeouts. Whatever an attempt that failed has left on a server, or may yet leave there, is undone behind.
 *
 * Waiters stand in line, and only the first of a process asks the servers (P14). A call that asks once, or counts its
 * rounds, does not.
 *
 * Where no waiter is ahead the servers are asked at once, and most of the time they grant: that way makes nothing that only
 * waiting needs. Everything else is in keep-asking.ts.
 */
export function acquire(quorum: Quorum, plan: AcquirePlan): Promise<Grant | Refusal> {
  const deadlines = new Deadlines(quorum, plan);
  const turn = standsInLine(plan) ? quorum.room.enter(plan.claims) : undefined;
  const isFree = turn === undefined || (turn.begun !== undefined && turn.begun.untilMs <= quorum.clock.nowMs());
  if (!isFree) return waitAndAsk(quorum, plan, deadlines, turn);
  return new Promise((resolve, reject) => {
    new FirstRound(quorum, plan, deadlines, turn, resolve, reject).begin();
  });
}

function standsInLine({ waitMs, maxRetries }: AcquirePlan): boolean {
  return waitMs > 0 && maxRetries === Infinity;
}

/** The first round of an acquisition for which no waiter is ahead. */
class FirstRound implements RoundCaller, PermitWaiter {
  readonly #token: string;
  #startedAtMs = 0;

  constructor(
    private readonly quorum: Quorum,
    private readonly plan: AcquirePlan,
    private readonly deadlines: Deadlines,
    private readonly turn: Turn | undefined,
    private readonly resolve: (answer: Grant | Refusal | Promise<Grant | Refusal>) => void,
    private readonly reject: (reason: unknown) => void,
  ) {
    this.#token = quorum.entropy.token();
  }

  begin(): void {
    const { quorum, plan, deadlines } = this;
    if (admitAtOnce(quorum, plan)) {
      this.#ask();
      return;
    }
    this.#startedAtMs = quorum.clock.nowMs();
    admit(quorum, plan, deadlines.next().settleUntilMs, this);
  }

  onPermits(isGranted: boolean): void {
    if (isGranted) this.#ask();
    else this.#decide({ kind: 'unreachable', votes: tooBusyVotes(this.quorum) });
  }

  onCancelled(reason: unknown): void {
    this.#fail(reason);
  }

  #ask(): void {
    const { quorum, plan, deadlines } = this;
    this.#startedAtMs = quorum.clock.nowMs();
    new Round(quorum, plan, this.#token, deadlines.next(), this).ask();
  }

  onDecision(decision: Decision): void {
    leave(this.quorum, this.plan);
    this.#decide(decision);
  }

  onError(error: unknown): void {
    leave(this.quorum, this.plan);
    this.#fail(error);
  }

  #decide(decision: Decision): void {
    const { quorum, plan, deadlines, turn } = this;
    if (decision.kind === 'won') this.resolve(granted(quorum, plan, turn, decision));
    else if (decision.kind === 'held' && plan.waitMs === 0) this.resolve(refuse(quorum, plan, decision));
    else {
      const begun = { token: this.#token, startedAtMs: this.#startedAtMs, decision };
      this.resolve(goOn(quorum, plan, deadlines, turn, begun));
    }
  }

  #fail(error: unknown): void {
    giveUp(this.quorum, this.plan, this.turn);
    this.reject(error);
  }
}
