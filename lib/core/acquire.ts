import type { Cancellation } from './cancellation.js';
import { Deadlines } from './deadlines.js';
import { admit, admitAtOnce, leave, tooBusyVotes } from './admission.js';
import { attempt, type BegunRound } from './attempt.js';
import { LockContendedError } from './errors/lock-contended.error.js';
import { QuorumUnreachableError } from './errors/quorum-unreachable.error.js';
import { Pause } from './pause.js';
import type { Claim, Holder } from './ports/lock-node.js';
import type { Quorum } from './quorum.js';
import type { ClockReading } from './suspension.js';
import { Round, type Decision } from './round.js';
import type { Vote } from './vote.js';
import type { RemoteWindow, Turn } from './wait-queue.js';

/** What is to be locked, and how hard to try. */
export interface AcquirePlan {
  /** The keys as people know them, for messages. */
  readonly keys: readonly string[];
  /** The locked keys as the servers know them. */
  readonly claims: readonly Claim[];
  /** The key of a tick: claimed together with the lock, and left behind when the lock is released. */
  readonly tick?: Claim | undefined;
  /** For so long from the call on, if the tick has run its claim is sure to be there. Later nobody may ask for it. */
  readonly tickLeftMs?: number | undefined;
  /** The claim of the tick ends so long after the call, however late the lock is granted. Default: its ttl after the grant. */
  readonly tickHoldMs?: number | undefined;
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

/** A majority of the servers carries the lock. */
export interface Grant {
  readonly token: string;
  /** Larger than that of every earlier grant of the key; 0 where the claims have no counters. */
  readonly fence: number;
  readonly grantedAtMs: number;
  /** Both clocks when the servers were asked. */
  readonly askedAt: ClockReading;
  readonly deadlineAtMs: number;
  /** Its place in the wait queue, which a holder keeps until it has released the lock. Without a wait it has none. */
  readonly turn?: Turn;
}

/**
 * Takes the lock, or rejects: {@link LockContendedError}, {@link QuorumUnreachableError}, or the
 * reason of the cancellation. It settles within `waitMs` (or `unreachableWaitMs`, while no majority can be reached) and two node
 * timeouts. Whatever an attempt that failed has left on a server, or may yet leave there, is undone behind.
 *
 * Those who wait stand in line, and only the first of a process asks the servers (P14). Who asks once, or counts its
 * rounds, does not.
 *
 * Where nobody is ahead the servers are asked at once, and most of the time they grant: that way makes nothing that only
 * waiting needs. Everything else is `keepAsking`.
 */
export function acquire(quorum: Quorum, plan: AcquirePlan): Promise<Grant> {
  const deadlines = new Deadlines(quorum, plan);
  const turn = standsInLine(plan) ? quorum.room.enter(plan.claims) : undefined;
  const isFree = turn === undefined || (turn.begun !== undefined && turn.begun.untilMs <= quorum.clock.nowMs());
  if (!isFree) return waitAndAsk(quorum, plan, deadlines, turn);
  return new Promise((resolve, reject) => {
    const token = quorum.entropy.token();
    const late = { settledAfterMs: 0 };
    let startedAtMs = quorum.clock.nowMs();
    const fail = (error: unknown): void => {
      giveUp(quorum, plan, turn);
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- the reason of the caller's signal, unchanged
      reject(error);
    };
    const onDecision = (decision: Decision): void => {
      if (decision.kind === 'won') resolve(granted(quorum, plan, turn, decision));
      else goOn(quorum, plan, deadlines, turn, { token, startedAtMs, late, decision }).then(resolve, reject);
    };
    const ask = (): void => {
      startedAtMs = quorum.clock.nowMs();
      const limits = { ...deadlines.next(), late };
      const round = new Round(
        quorum,
        plan,
        token,
        limits,
        (decision) => {
          leave(quorum, plan);
          onDecision(decision);
        },
        (error) => {
          leave(quorum, plan);
          fail(error);
        },
      );
      round.ask();
    };
    if (admitAtOnce(quorum, plan)) ask();
    else {
      admit(quorum, plan, deadlines.next().settleUntilMs).then((isAdmitted) => {
        if (isAdmitted) ask();
        else onDecision({ kind: 'unreachable', votes: tooBusyVotes(quorum) });
      }, fail);
    }
  });
}

function standsInLine({ waitMs, maxRetries }: AcquirePlan): boolean {
  return waitMs > 0 && maxRetries === Infinity;
}

async function waitAndAsk(
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
async function goOn(
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

function giveUp(quorum: Quorum, plan: AcquirePlan, turn: Turn | undefined): void {
  if (turn === undefined) return;
  notifyOthers(quorum, plan, turn);
  turn.leave();
}

/** Those behind it in line may say that this process has the lock when their wait is over. */
function granted(
  { room, clock, rules }: Quorum,
  plan: AcquirePlan,
  turn: Turn | undefined,
  { grant, votes }: Extract<Decision, { kind: 'won' }>,
): Grant {
  if (turn === undefined) return grant;
  const { token, fence, deadlineAtMs } = grant;
  const key = plan.claims[0]?.key ?? '';
  room.noteHolder(turn, () => ({
    holder: { key, token, owner: rules.owner, fence, remainingMs: deadlineAtMs - clock.nowMs() },
    votes,
  }));
  return { ...grant, turn };
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
      const bounds = first === undefined ? deadlines.next() : deadlines.bounds;
      const waited = retry > 0 || turn?.hasWaited === true;
      const decision = await attempt(quorum, plan, { ...bounds, waited }, first);
      if (decision.kind === 'won') return granted(quorum, plan, turn, decision);
      if (turn !== undefined) notifyOthers(quorum, plan, turn);
      if (turn !== undefined && decision.kind === 'held') {
        turn.closeRemoteWindow();
        noteHolder(quorum, turn, decision.holder, decision.votes);
      }
      const untilMs = tickHasRun(decision, plan) ? 'over' : deadlines.after(decision);
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
  const freeAtMs = clock.nowMs() + holder.remainingMs;
  room.noteHolder(turn, () => ({ holder: { ...holder, remainingMs: freeAtMs - clock.nowMs() }, votes }));
}

function tickHasRun(decision: Decision, { tick }: AcquirePlan): boolean {
  return decision.kind === 'held' && decision.holder.key === tick?.key;
}

function toError({ queues }: Quorum, plan: AcquirePlan, decision: Exclude<Decision, { kind: 'won' }>): Error {
  switch (decision.kind) {
    case 'held':
    case 'contested': {
      const what = tickHasRun(decision, plan) ? 'tick' : decision.kind;
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
