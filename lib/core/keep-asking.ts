import type { AcquirePlan, Grant } from './acquire.js';
import { attempt, type BegunRound } from './attempt.js';
import type { Deadlines } from './deadlines.js';
import { LockContendedError } from './errors/lock-contended.error.js';
import { QuorumUnreachableError } from './errors/quorum-unreachable.error.js';
import { Pause } from './pause.js';
import { isPaused } from './pause-repair.js';
import type { Holder } from './ports/lock-node.js';
import type { Quorum } from './quorum.js';
import type { Decision } from './decision.js';
import type { Vote } from './vote.js';
import type { RemoteWindow } from './remote-windows.js';
import type { Turn } from './turn.js';

/** An acquisition that other waiters are ahead of: those of this process, or those of other processes. */
export async function waitAndAsk(
  quorum: Quorum,
  plan: AcquirePlan,
  deadlines: Deadlines,
  turn: Turn | undefined,
): Promise<Grant> {
  if (turn === undefined) return await keepAsking(quorum, plan, deadlines);
  try {
    const { waitMs, cancellation } = plan;
    const others = turn.begun ?? (await turn.beginsWithin(quorum.clock, waitMs, cancellation));
    if (others !== undefined) return await keepAsking(quorum, plan, deadlines, turn, others);
    // The wait is over before the turn has begun. The first in line knows which process holds the lock, so thousands whose wait ends
    // at once need not ask. Where it does not know, or not any more, the attempt asks once.
    const knownHolder = quorum.room.knownHolder(turn);
    turn.leave();
    if (knownHolder !== undefined) {
      const { holder, votes } = knownHolder;
      throw new LockContendedError(plan.keys, holder, votes, 'held', plan.hint?.());
    }
    return await keepAsking(quorum, plan, deadlines);
  } catch (error) {
    giveUp(quorum, plan, turn);
    throw error;
  }
}

/** After a first round that was not won. */
export async function goOn(
  quorum: Quorum,
  plan: AcquirePlan,
  deadlines: Deadlines,
  turn: Turn | undefined,
  begun: BegunRound,
): Promise<Grant> {
  try {
    return await keepAsking(quorum, plan, deadlines, turn, undefined, begun);
  } catch (error) {
    giveUp(quorum, plan, turn);
    throw error;
  }
}

/** The acquisition ends without the lock: the next waiter has its turn. */
export function giveUp(quorum: Quorum, plan: AcquirePlan, turn: Turn | undefined): void {
  if (turn === undefined) return;
  notifyOthers(quorum, plan, turn);
  turn.leave();
}

/** The waiters behind it in line may say that this process has the lock when their wait is over. */
export function granted(
  { room, rules }: Quorum,
  plan: AcquirePlan,
  turn: Turn | undefined,
  { grant, votes }: Extract<Decision, { kind: 'won' }>,
): Grant {
  if (turn === undefined) return grant;
  const { token, fence, grantedAtMs, askedAt, deadlineAtMs } = grant;
  const holder = { key: plan.claims[0]?.key ?? '', token, owner: rules.owner, fence };
  room.noteHolder(turn, { holder, untilMs: deadlineAtMs, votes });
  return { token, fence, grantedAtMs, askedAt, deadlineAtMs, turn };
}

async function keepAsking(
  quorum: Quorum,
  plan: AcquirePlan,
  deadlines: Deadlines,
  turn?: Turn,
  others?: RemoteWindow,
  begun?: BegunRound,
): Promise<Grant> {
  const pause = new Pause(quorum, plan, deadlines.waitUntilMs, turn !== undefined);
  try {
    if (others !== undefined && (await pause.waitForRemote(others))) turn?.closeRemoteWindow();
    for (let retry = 0; ; retry++) {
      pause.beforeQuestion();
      const first = retry === 0 ? begun : undefined;
      const bounds = first === undefined ? deadlines.next(retry > 0 || turn?.hasWaited === true) : deadlines.bounds;
      const decision = await attempt(quorum, plan, bounds, first);
      if (decision.kind === 'won') return granted(quorum, plan, turn, decision);
      if (turn !== undefined) notifyOthers(quorum, plan, turn);
      const isDenied = tickHasRun(decision, plan) || isJobPaused(decision, plan);
      if (turn !== undefined && decision.kind === 'held' && !isDenied) {
        turn.closeRemoteWindow();
        noteHolder(quorum, turn, decision.holder, decision.votes);
      }
      const untilMs = isDenied ? 'over' : deadlines.after(decision);
      if (untilMs === 'over') throw toError(quorum, plan, decision);
      if (untilMs === 'at once') continue;
      await pause.afterQuestion(decision, retry, untilMs);
      deadlines.onPaused(decision);
    }
  } finally {
    pause.close();
  }
}

/** If the lock was handed over without a release message and the successor does not take it, the successor publishes the message. */
function notifyOthers({ queues, rules }: Quorum, plan: AcquirePlan, turn: Turn): void {
  if (!turn.mustNotify) return;
  turn.mustNotify = false;
  const claims = plan.claims.map(({ key }) => ({ key, ttlMs: 0, channel: key }));
  for (const queue of queues) queue.send({ kind: 'tell', token: '-', owner: rules.owner, claims });
}

function noteHolder({ room, clock }: Quorum, turn: Turn, holder: Holder, votes: readonly Vote[]): void {
  room.noteHolder(turn, { holder, untilMs: clock.nowMs() + holder.remainingMs, votes });
}

function tickHasRun(decision: Decision, { tick }: AcquirePlan): boolean {
  return decision.kind === 'held' && decision.holder.key === tick?.key;
}

/** Waiting would not help: it is paused until an operator resumes it, or for hours. */
function isJobPaused(decision: Decision, { job }: AcquirePlan): boolean {
  return decision.kind === 'held' && isPaused(decision.holder, job);
}

/** Why there is no lock. */
export function toError({ queues }: Quorum, plan: AcquirePlan, decision: Exclude<Decision, { kind: 'won' }>): Error {
  switch (decision.kind) {
    case 'held':
    case 'contested': {
      const what = tickHasRun(decision, plan) ? 'tick' : isJobPaused(decision, plan) ? 'paused' : decision.kind;
      return new LockContendedError(plan.keys, decision.holder, decision.votes, what, plan.hint?.());
    }
    case 'unreachable':
    case 'unconfirmed':
    case 'late':
      return new QuorumUnreachableError('acquire', plan.keys, queues.length, decision.votes);
    default:
      return decision satisfies never;
  }
}
