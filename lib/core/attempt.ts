import { admit, leave, tooBusyVotes } from './admission.js';
import { backoffMs } from './backoff.js';
import type { AcquirePlan } from './acquire.js';
import { mayHaveMajority } from './verdicts.js';
import type { Quorum } from './quorum.js';
import type { Decision } from './decision.js';
import { Round, type Limits } from './round.js';
import { undo } from './undo.js';
import { Stalemate } from './stalemate.js';
import { sleep } from './wait.js';

export interface Bounds extends Limits {
  /** No round of a contest begins later, where the vote stays split for good. */
  readonly waitUntilMs: number;
  /** No round of any other contest begins later. */
  readonly settleUntilMs: number;
  /** How many rounds there may be. */
  readonly mostRounds: number;
}

/** The first round of a decision, which has been asked already. */
export interface BegunRound {
  readonly token: string;
  readonly startedAtMs: number;
  readonly decision: Decision;
}

/** How often a leader asks again without releasing its votes. After that its rivals may be votes of processes that died. */
const LEADER_ROUNDS = 3;

/** A living rival can be seen with the same votes so many times in a row: as a leader, and twice more by a process that is nearer. */
const PATIENCE_ROUNDS = LEADER_ROUNDS + 2;

/** A shorter round is counted as this: it is about one turn of the event loop on a busy machine. */
export const SHORTEST_ROUND_MS = 2;

/**
 * Asks until there is a decision: won, held or unreachable. A contested vote is not one. It is settled in further rounds until
 * the time is over (P7): the leader keeps its votes and asks for the missing ones; every other attempt releases its votes and pauses for a
 * few round trips. A grant without a fencing token is no decision either, and is asked for again. When the wait is over, a
 * vote that stays split for good is not asked for again.
 */
export async function attempt(
  quorum: Quorum,
  plan: AcquirePlan,
  bounds: Bounds,
  begun?: BegunRound,
): Promise<Decision> {
  const { clock, entropy } = quorum;
  let token = begun?.token ?? entropy.token();
  let stalemate: Stalemate | undefined;
  let led = 0;

  for (let rounds = 1; ; rounds++) {
    // Only the first round waits for admission: an attempt that holds votes must not stop in the middle of a contest.
    const isFirst = rounds === 1;
    const first = isFirst ? begun : undefined;
    if (isFirst && first === undefined && !(await isAdmitted(quorum, plan, bounds.settleUntilMs))) {
      return { kind: 'unreachable', votes: tooBusyVotes(quorum) };
    }
    const startedAtMs = first?.startedAtMs ?? clock.nowMs();
    const decision = first?.decision ?? (await askOnce(quorum, plan, token, bounds, isFirst));
    const roundMs = Math.max(SHORTEST_ROUND_MS, clock.nowMs() - startedAtMs);
    if (decision.kind !== 'contested' && decision.kind !== 'unconfirmed') return told(decision, roundMs, rounds);

    const keep = decision.kind === 'contested' && decision.leading && led < LEADER_ROUNDS;
    led = keep ? led + 1 : 0;
    const wishMs = pauseBetween(quorum, decision, keep, rounds, roundMs);
    stalemate ??= new Stalemate(quorum.queues.length, PATIENCE_ROUNDS);
    const isSplitForGood = stalemate.isReached(decision.votes);
    const leftMs = (isSplitForGood ? bounds.waitUntilMs : bounds.settleUntilMs) - clock.nowMs();
    const giveUp = leftMs <= 0 || rounds >= bounds.mostRounds;
    if (giveUp || !keep) {
      // If this attempt may have had a majority, other processes may wait for its release: publish it. Otherwise only when giving up.
      const tell = giveUp || decision.kind === 'unconfirmed' || mayHaveMajority(decision.votes, quorum.queues.length);
      undo(quorum, plan, token, { tell });
      token = entropy.token();
    }
    if (giveUp) return { ...decision, roundMs, rounds };
    await pauseOrUndo(quorum, plan, token, Math.min(wishMs, leftMs));
  }
}

function isAdmitted(quorum: Quorum, plan: AcquirePlan, untilMs: number): Promise<boolean> {
  return new Promise((onPermits, onCancelled) => {
    admit(quorum, plan, untilMs, { onPermits, onCancelled });
  });
}

async function pauseOrUndo(quorum: Quorum, plan: AcquirePlan, token: string, forMs: number): Promise<void> {
  try {
    await sleep(quorum.clock, forMs, plan.cancellation);
  } catch (reason) {
    undo(quorum, plan, token, { tell: true });
    throw reason;
  }
}

/**
 * The leader asks again at once, because the others have already released their votes. They pause for at least three round trips. An attempt
 * that had a majority, but no fencing token, does not pause for others. Before its time is over each asks once more, so that it can name the
 * winner as the holder.
 */
function pauseBetween(
  { entropy, rules }: Quorum,
  { kind }: Decision,
  keep: boolean,
  rounds: number,
  roundMs: number,
): number {
  const leastMs = kind === 'contested' ? 3 * roundMs * (1 + entropy.random()) : 0;
  if (keep) return 0.25 * roundMs * entropy.random();
  return leastMs + backoffMs(rounds - 1, roundMs, rules.maxRetryDelayMs, entropy);
}

/** Asks every server once. After the first round of an attempt, another attempt is admitted. */
async function askOnce(
  quorum: Quorum,
  plan: AcquirePlan,
  token: string,
  limits: Limits,
  isFirst: boolean,
): Promise<Decision> {
  try {
    return await new Promise((resolve, reject) => {
      new Round(quorum, plan, token, limits, { onDecision: resolve, onError: reject }).ask();
    });
  } finally {
    if (isFirst) leave(quorum, plan);
  }
}

/** How long and how often the servers were asked matters where they have not granted the lock. */
function told(decision: Decision, roundMs: number, rounds: number): Decision {
  return decision.kind === 'won' ? decision : { ...decision, roundMs, rounds };
}
