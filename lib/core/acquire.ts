import type { Cancellation } from './cancellation.js';
import { Deadlines } from './deadlines.js';
import { decide, type Decision } from './decide.js';
import { LockContendedError } from './errors/lock-contended.error.js';
import { QuorumUnreachableError } from './errors/quorum-unreachable.error.js';
import { Pause } from './pause.js';
import type { Claim, Holder } from './ports/lock-node.js';
import type { Quorum } from './quorum.js';
import type { ClockReading } from './suspension.js';
import { withinMs } from './wait.js';
import type { FirstGo, KnownHolder, Turn } from './waiting-room.js';

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
  /** The place in line that whoever has the lock keeps until it is over. Who did not stand in line has none. */
  readonly turn?: Turn;
}

/**
 * Takes the lock, or rejects: {@link LockContendedError}, {@link QuorumUnreachableError}, or the
 * reason of the cancellation. It settles within `waitMs` (or `unreachableWaitMs`, while no majority can be reached) and two node timeouts. Whatever an attempt
 * that failed has left on a server, or may yet leave there, is undone behind.
 *
 * Those who wait stand in line, and only the first of a process asks the servers (P14). Who asks once, or counts its
 * rounds, does not.
 */
export async function acquire(quorum: Quorum, plan: AcquirePlan): Promise<Grant> {
  const { clock, room } = quorum;
  const deadlines = new Deadlines(quorum, plan);
  if (plan.waitMs === 0 || plan.maxRetries < Infinity) return await keepAsking(quorum, plan, deadlines);

  const turn = room.enter(plan.claims.map(({ key }) => key));
  try {
    const others = turn.begun ?? (await withinMs(clock, turn.begins, plan.waitMs, plan.cancellation));
    if (others !== undefined) return { ...(await keepAsking(quorum, plan, deadlines, turn, others)), turn };
    // The wait is over before the turn has begun. The first in line knows which process holds the lock, so thousands whose wait ends
    // at once need not ask. Where it does not know, or not any more, the attempt asks once.
    const knownHolder = room.knownHolder(turn);
    turn.leave();
    if (knownHolder !== undefined) throw heldError(quorum, plan, knownHolder);
    return await keepAsking(quorum, plan, deadlines);
  } catch (error) {
    passWordOn(quorum, plan, turn);
    turn.leave();
    throw error;
  }
}

async function keepAsking(
  quorum: Quorum,
  plan: AcquirePlan,
  deadlines: Deadlines,
  turn?: Turn,
  others?: FirstGo,
): Promise<Grant> {
  const pause = new Pause(quorum, plan, deadlines.waitUntilMs, turn !== undefined);
  try {
    if (others !== undefined && (await pause.politely(others))) turn?.noteTaken();
    for (let retry = 0; ; retry++) {
      pause.beforeQuestion();
      const waited = retry > 0 || turn?.hasWaited === true;
      const decision = await decide(quorum, plan, { ...deadlines.next(), waited });
      if (decision.kind === 'won') {
        if (turn !== undefined) quorum.room.noteHolder(turn, holderOf(quorum, plan, decision.grant), decision.votes);
        return decision.grant;
      }
      if (turn !== undefined) passWordOn(quorum, plan, turn);
      if (turn !== undefined && decision.kind === 'held') {
        turn.noteTaken();
        quorum.room.noteHolder(turn, decision.holder, decision.votes);
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

/** Whoever the lock was handed on to in silence, and who did not take it, tells the others that it is free. */
function passWordOn({ couriers, rules }: Quorum, plan: AcquirePlan, turn: Turn): void {
  if (!turn.owesWord) return;
  turn.owesWord = false;
  const claims = plan.claims.map(({ key }) => ({ key, ttlMs: 0, channel: key }));
  for (const courier of couriers) courier.send({ kind: 'tell', token: '-', owner: rules.owner, claims });
}

/** This process, as the holder that waiters behind it may name. */
function holderOf({ clock, rules }: Quorum, { claims }: AcquirePlan, { token, fence, deadlineAtMs }: Grant): Holder {
  const remainingMs = Math.max(0, deadlineAtMs - clock.nowMs());
  return { key: claims[0]?.key ?? '', token, owner: rules.owner, fence, remainingMs };
}

function heldError({ clock }: Quorum, { keys, hint }: AcquirePlan, { holder, votes, atMs }: KnownHolder): Error {
  const remainingMs = Math.max(0, holder.remainingMs - (clock.nowMs() - atMs));
  return new LockContendedError(keys, { ...holder, remainingMs }, votes, 'held', hint?.());
}

function tickHasRun(decision: Decision, { tick }: AcquirePlan): boolean {
  return decision.kind === 'held' && decision.holder.key === tick?.key;
}

function toError({ couriers }: Quorum, plan: AcquirePlan, decision: Exclude<Decision, { kind: 'won' }>): Error {
  switch (decision.kind) {
    case 'held':
    case 'contested': {
      const what = tickHasRun(decision, plan) ? 'tick' : decision.kind;
      return new LockContendedError(plan.keys, decision.holder, decision.votes, what, plan.hint?.());
    }
    case 'unreachable':
    case 'unconfirmed':
    case 'late':
      return new QuorumUnreachableError('acquire', plan.keys, couriers.length, decision.votes);
    default:
      return decision satisfies never;
  }
}
