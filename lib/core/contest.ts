import { admit, leave, tooBusyVotes } from './admission.js';
import { backoffMs } from './backoff.js';
import type { AcquirePlan } from './acquire.js';
import { mayHaveMajority } from './verdicts.js';
import type { Quorum } from './quorum.js';
import { Round, undo, type Decision, type LateVotes, type Limits } from './round.js';
import { Stalemate } from './stalemate.js';
import { sleep } from './wait.js';

export interface Bounds extends Omit<Limits, 'late'> {
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
  readonly late: LateVotes;
  readonly decision: Decision;
}

/** How often a leader asks again without giving its votes back. Then it may be leading against the votes of the dead. */
const LEADER_ROUNDS = 3;

/** How often in a row a rival that is alive may be seen with the same votes: as a leader, and twice by a process that is nearer. */
const PATIENCE_ROUNDS = LEADER_ROUNDS + 2;

/** Nobody can tell rounds apart that are shorter: it is about what an event loop takes to turn on a busy machine. */
export const SHORTEST_ROUND_MS = 2;

/**
 * One decision: won, held or unreachable. A contested vote is none, and is settled in further rounds until
 * the time is over: the leader keeps its votes and asks for the others, all other contenders give theirs back and stay out of
 * the way for a few round trips (P7). Nor is a grant without a fencing token: it is asked for anew. When the wait is over, a
 * vote that stays split for good is not asked for any more.
 */
export async function decide(quorum: Quorum, plan: AcquirePlan, bounds: Bounds, begun?: BegunRound): Promise<Decision> {
  const { clock, entropy, rules } = quorum;
  let token = begun?.token ?? entropy.token();
  let stalemate: Stalemate | undefined;
  const late: LateVotes = begun?.late ?? { settledAfterMs: 0 };
  let led = 0;

  for (let contest = 0; ; contest++) {
    // Only the first round waits for its turn: a contender that has begun must not stop in the middle of a contest.
    const first = contest === 0 ? begun : undefined;
    if (contest === 0 && first === undefined && !(await admit(quorum, plan, bounds.settleUntilMs))) {
      return { kind: 'unreachable', votes: tooBusyVotes(quorum) };
    }
    const startedAtMs = first?.startedAtMs ?? clock.nowMs();
    const decision = first?.decision ?? (await round(quorum, plan, token, { ...bounds, late }, contest === 0));
    const roundMs = Math.max(SHORTEST_ROUND_MS, clock.nowMs() - startedAtMs);
    const rounds = contest + 1;
    if (decision.kind !== 'contested' && decision.kind !== 'unconfirmed') return { ...decision, roundMs, rounds };

    const keep = decision.kind === 'contested' && decision.leading && led < LEADER_ROUNDS;
    led = keep ? led + 1 : 0;
    // The leader asks again at once, because the others give their votes back at once. They stay out of its way for as
    // long as it needs to ask three times, but ask a last time before they give up: who has won by then is held to have it.
    // Who had a majority of votes has nobody to give way to.
    const leastMs = decision.kind === 'contested' ? 3 * roundMs * (1 + entropy.random()) : 0;
    const wishMs = keep
      ? 0.25 * roundMs * entropy.random()
      : leastMs + backoffMs(contest, roundMs, rules.maxRetryDelayMs, entropy);
    stalemate ??= new Stalemate(quorum.queues.length, PATIENCE_ROUNDS);
    const isSplitForGood = stalemate.isReached(decision.votes);
    const leftMs = (isSplitForGood ? bounds.waitUntilMs : bounds.settleUntilMs) - clock.nowMs();
    const giveUp = leftMs <= 0 || rounds >= bounds.mostRounds;
    if (giveUp || !keep) {
      // Who may have had a majority may have been taken for the holder. For others nobody waits, until they give up.
      const tell = giveUp || decision.kind === 'unconfirmed' || mayHaveMajority(decision.votes, quorum.queues.length);
      undo(quorum, plan, token, { tell });
      token = entropy.token();
    }
    if (giveUp) return { ...decision, roundMs, rounds };
    await sleep(clock, Math.min(wishMs, leftMs), plan.cancellation).catch((reason: unknown) => {
      undo(quorum, plan, token, { tell: true });
      throw reason;
    });
  }
}

/** Asks every server once. The first round of a decision leaves its place to others then. */
async function round(
  quorum: Quorum,
  plan: AcquirePlan,
  token: string,
  limits: Limits,
  isFirst: boolean,
): Promise<Decision> {
  try {
    return await new Promise((resolve, reject) => {
      new Round(quorum, plan, token, limits, resolve, reject).ask();
    });
  } finally {
    if (isFirst) leave(quorum, plan);
  }
}
