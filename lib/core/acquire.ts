import type { Cancellation } from './cancellation.js';
import { Deadlines } from './deadlines.js';
import { FirstRound, type BegunAttempt } from './first-round.js';
import type { Grant } from './grant.js';
import { giveUp, goOn, granted, waitAndAsk } from './keep-asking.js';
import type { RunTrigger } from './ports/job-note.js';
import type { Claim } from './ports/lock-node.js';
import type { Quorum } from './quorum.js';
import { isFinal, refuse, type Refusal } from './refusal.js';
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
  const turn = standsInLine(plan) ? quorum.waitQueue.enter(plan.claims) : undefined;
  if (turn?.hasWaited === true) return waitAndAsk(quorum, plan, deadlines, turn);
  return new Promise((resolve, reject) => {
    const onBegun = (begun: BegunAttempt): void => {
      resolve(decide(quorum, plan, deadlines, turn, begun));
    };
    const onCancelled = (reason: unknown): void => {
      fail(quorum, plan, turn, reason, reject);
    };
    new FirstRound(quorum, plan, deadlines.next(), onBegun, onCancelled).begin();
  });
}

function standsInLine({ waitMs, maxRetries }: AcquirePlan): boolean {
  return waitMs > 0 && maxRetries === Infinity;
}

/** What comes of the first round, where no waiter is ahead. */
function decide(
  quorum: Quorum,
  plan: AcquirePlan,
  deadlines: Deadlines,
  turn: Turn | undefined,
  begun: BegunAttempt,
): Grant | Refusal | Promise<Grant | Refusal> {
  const { decision } = begun;
  if (decision.kind === 'won') return granted(quorum, plan, turn, decision);
  if (decision.kind === 'held' && (plan.waitMs === 0 || isFinal(decision, plan))) {
    giveUp(quorum, plan, turn);
    return refuse(quorum, plan, decision);
  }
  return goOn(quorum, plan, deadlines, turn, begun);
}

function fail(
  quorum: Quorum,
  plan: AcquirePlan,
  turn: Turn | undefined,
  reason: unknown,
  reject: (reason: unknown) => void,
): void {
  giveUp(quorum, plan, turn);
  reject(reason);
}
