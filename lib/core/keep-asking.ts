import type { AcquirePlan } from './acquire.js';
import type { Grant } from './grant.js';
import { attempt } from './attempt.js';
import type { Deadlines } from './deadlines.js';
import { beginAttempt, type BegunAttempt } from './first-round.js';
import { Pause } from './pause.js';
import type { Holder } from './ports/lock-node.js';
import type { Quorum } from './quorum.js';
import type { Decision } from './decision.js';
import type { Vote } from './vote.js';
import { isFinal, Refusal, refuse } from './refusal.js';
import type { RemoteWindow } from './remote-windows.js';
import type { Turn } from './turn.js';

/** An acquisition that other waiters are ahead of: those of this process, or those of other processes. */
export async function waitAndAsk(
  quorum: Quorum,
  plan: AcquirePlan,
  deadlines: Deadlines,
  turn: Turn | undefined,
): Promise<Grant | Refusal> {
  if (turn === undefined) return await keepAsking(quorum, plan, deadlines);
  return await orGiveUp(quorum, plan, turn, async () => {
    const { waitMs, cancellation } = plan;
    const others = turn.begun ?? (await turn.beginsWithin(quorum.clock, waitMs, cancellation));
    if (others !== undefined) return await keepAsking(quorum, plan, deadlines, turn, others);
    // The wait is over before the turn has begun. The first in line knows which process holds the lock, so thousands whose wait ends
    // at once need not ask. Where it does not know, or not any more, the attempt asks once.
    const knownHolder = quorum.waitQueue.knownHolder(turn);
    turn.leave();
    if (knownHolder !== undefined) return refuse(quorum, plan, { kind: 'held', ...knownHolder });
    return await keepAsking(quorum, plan, deadlines);
  });
}

/** After a first round that was not won. */
export async function goOn(
  quorum: Quorum,
  plan: AcquirePlan,
  deadlines: Deadlines,
  turn: Turn | undefined,
  begun: BegunAttempt,
): Promise<Grant | Refusal> {
  return await orGiveUp(quorum, plan, turn, () => keepAsking(quorum, plan, deadlines, turn, undefined, begun));
}

async function orGiveUp(
  quorum: Quorum,
  plan: AcquirePlan,
  turn: Turn | undefined,
  ask: () => Promise<Grant | Refusal>,
): Promise<Grant | Refusal> {
  let isGranted = false;
  try {
    const answer = await ask();
    isGranted = !(answer instanceof Refusal);
    return answer;
  } finally {
    if (!isGranted) giveUp(quorum, plan, turn);
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
  { waitQueue, rules }: Quorum,
  plan: AcquirePlan,
  turn: Turn | undefined,
  { grant, votes }: Extract<Decision, { kind: 'won' }>,
): Grant {
  if (turn === undefined) return grant;
  const { token, fence, deadlineAtMs } = grant;
  const holder = { key: plan.claims[0]?.key ?? '', token, owner: rules.owner, fence };
  waitQueue.noteHolder(turn, { holder, untilMs: deadlineAtMs, votes });
  grant.turn = turn;
  return grant;
}

async function keepAsking(
  quorum: Quorum,
  plan: AcquirePlan,
  deadlines: Deadlines,
  turn?: Turn,
  others?: RemoteWindow,
  begun?: BegunAttempt,
): Promise<Grant | Refusal> {
  const pause = new Pause(quorum, plan, deadlines.waitUntilMs, turn !== undefined);
  try {
    if (others !== undefined && (await pause.waitForRemote(others))) turn?.closeRemoteWindow();
    for (let retry = 0; ; retry++) {
      pause.beforeQuestion();
      const first = retry === 0 ? begun : undefined;
      const waited = retry > 0 || turn?.hasWaited === true;
      const decision = await attempt(quorum, plan, first ?? (await beginAttempt(quorum, plan, deadlines.next(waited))));
      if (decision.kind === 'won') return granted(quorum, plan, turn, decision);
      if (turn !== undefined) notifyOthers(quorum, plan, turn);
      const isDenied = isFinal(decision, plan);
      if (turn !== undefined && decision.kind === 'held' && !isDenied) {
        turn.closeRemoteWindow();
        noteHolder(quorum, turn, decision.holder, decision.votes);
      } else if (turn !== undefined && decision.kind !== 'held') quorum.waitQueue.forgetHolder(turn);
      const untilMs = isDenied ? 'over' : deadlines.after(decision);
      if (untilMs === 'over') return refuse(quorum, plan, decision);
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

function noteHolder({ waitQueue, clock }: Quorum, turn: Turn, holder: Holder, votes: readonly Vote[]): void {
  waitQueue.noteHolder(turn, { holder, untilMs: clock.nowMs() + holder.remainingMs, votes });
}
