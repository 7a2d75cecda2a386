import { backoffMs } from './backoff.js';
import type { AcquirePlan } from './acquire.js';
import type { Bounds } from './bounds.js';
import { mayHaveMajority } from './verdicts.js';
import type { Quorum } from './quorum.js';
import type { Decision } from './decision.js';
import type { BegunAttempt } from './first-round.js';
import { Round } from './round.js';
import { undo } from './undo.js';
import { Stalemate } from './stalemate.js';
import { sleep } from './wait.js';

/** How often a leader asks again without releasing its votes. After that its rivals may be votes of processes that died. */
const LEADER_ROUNDS = 3;

/** A living rival can be seen with the same votes so many times in a row: as a leader, and twice more by a process that is nearer. */
const PATIENCE_ROUNDS = LEADER_ROUNDS + 2;

/** A shorter round is counted as this: it is about one turn of the event loop on a busy machine. */
export const SHORTEST_ROUND_MS = 2;

/**
 * Goes on after the first round until there is a decision: won, held or unreachable. A contested vote is not one. It is settled in
 * further rounds until the time is over (P7): the leader keeps its votes and asks for the missing ones; every other attempt releases
 * its votes and pauses for a few round trips. A grant without a fencing token is no decision either, and is asked for again. When the wait is over, a
 * vote that stays split for good is not asked for again.
 */
export async function attempt(quorum: Quorum, plan: AcquirePlan, begun: BegunAttempt): Promise<Decision> {
  const { clock, entropy } = quorum;
  const { bounds } = begun;
  let { token, startedAtMs, decision } = begun;
  let stalemate: Stalemate | undefined;
  let led = 0;

  for (let rounds = 1; ; rounds++) {
    const roundMs = Math.max(SHORTEST_ROUND_MS, clock.nowMs() - startedAtMs);
    if (decision.kind !== 'contested' && decision.kind !== 'unconfirmed') return withTimes(decision, roundMs, rounds);

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
    startedAtMs = clock.nowMs();
    decision = await askOnce(quorum, plan, token, bounds);
  }
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

/** Asks every server once. */
function askOnce(quorum: Quorum, plan: AcquirePlan, token: string, bounds: Bounds): Promise<Decision> {
  return new Promise((resolve, reject) => {
    new Round(quorum, plan, token, bounds, { onDecision: resolve, onError: reject }).ask();
  });
}

/** How long and how often the servers were asked matters where they have not granted the lock. */
function withTimes(decision: Decision, roundMs: number, rounds: number): Decision {
  return decision.kind === 'won' ? decision : { ...decision, roundMs, rounds };
}
