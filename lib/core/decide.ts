import { admit, leave, tooBusyVotes } from './admission.js';
import { backoffMs } from './backoff.js';
import type { AcquirePlan, Grant } from './acquire.js';
import { judge, judgeAsIs, mayHaveMajority, type Ballot } from './ballot.js';
import { agreeOnFence } from './fence.js';
import { poll } from './poll.js';
import type { Claim } from './ports/lock-node.js';
import { nodeTimeoutMs, type Quorum } from './quorum.js';
import { Stalemate } from './stalemate.js';
import { maybeSuspended, readClocks, uncountedMs } from './suspension.js';
import { deadlineAtMs } from './validity.js';
import type { Vote } from './vote.js';
import { sleep, unlessCancelled } from './wait.js';

/**
 * What one decision came to.
 *
 * - `late`: a majority has granted, but the validity was over before it was known, or the machine was suspended meanwhile; or the time was over in which the claims
 *   of a tick that has run are still there.
 * - `unconfirmed`: a majority has granted, and too few of them were still there to agree on a fencing token.
 */
export type Decision = {
  readonly votes: readonly Vote[];
  /** How long the servers took to come to it. */ readonly roundMs?: number;
  /** How often every server was asked. */ readonly rounds?: number;
} & (
  | Exclude<Ballot, { kind: 'won' }>
  | { readonly kind: 'late' | 'unconfirmed' }
  | { readonly kind: 'won'; readonly grant: Grant }
);

export interface Bounds {
  /** No round of a contest begins later, where the vote stays split for good. */
  readonly waitUntilMs: number;
  /** No round of any other contest begins later. */
  readonly settleUntilMs: number;
  /** No round goes on longer. */
  readonly endAtMs: number;
  /** Whether another process may have run the tick and nothing shows that any more: then no round begins, and none is won. */
  readonly tickIsOver: () => boolean;
  /** Until then the claim of the tick is to live. Default: for its ttl, from each question on. */
  readonly tickHoldUntilMs?: number | undefined;
  /** How many rounds there may be. */
  readonly mostRounds: number;
  /** Whether the attempt was not served at once: others may listen for its release already. Default: false. */
  readonly waited?: boolean;
}

interface Limits extends Pick<Bounds, 'endAtMs' | 'tickIsOver' | 'tickHoldUntilMs' | 'waited'> {
  readonly late: LateVotes;
}

/** What the votes that came after the verdict of a round have shown: a far server is waited for in the rounds that follow. */
interface LateVotes {
  /** How long it took, from the question on, until they said who has a majority. */
  settledAfterMs: number;
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
export async function decide(quorum: Quorum, plan: AcquirePlan, bounds: Bounds): Promise<Decision> {
  const { clock, entropy, rules } = quorum;
  let token = entropy.token();
  let stalemate: Stalemate | undefined;
  const late: LateVotes = { settledAfterMs: 0 };
  let led = 0;

  for (let contest = 0; ; contest++) {
    // Only the first round waits for its turn: a contender that has begun must not stop in the middle of a contest.
    if (contest === 0 && !(await admit(quorum, plan, bounds.settleUntilMs))) {
      return { kind: 'unreachable', votes: tooBusyVotes(quorum) };
    }
    const startedAtMs = clock.nowMs();
    const decision = await round(quorum, plan, token, { ...bounds, late }).finally(() => {
      if (contest === 0) leave(quorum, plan);
    });
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
    stalemate ??= new Stalemate(quorum.couriers.length, PATIENCE_ROUNDS);
    const isSplitForGood = stalemate.isReached(decision.votes);
    const leftMs = (isSplitForGood ? bounds.waitUntilMs : bounds.settleUntilMs) - clock.nowMs();
    const giveUp = leftMs <= 0 || rounds >= bounds.mostRounds;
    if (giveUp || !keep) {
      // Who may have had a majority may have been taken for the holder. For others nobody waits, until they give up.
      const tell = giveUp || decision.kind === 'unconfirmed' || mayHaveMajority(decision.votes, quorum.couriers.length);
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

/** Asks every server once. Undoes it unless it is won, or to be tried again: then the caller does. */
async function round(quorum: Quorum, plan: AcquirePlan, token: string, limits: Limits): Promise<Decision> {
  plan.cancellation?.throwIfCancelled();
  const decision = await unlessCancelled(ask(quorum, plan, token, limits), plan.cancellation).catch((reason: unknown) => {
    undo(quorum, plan, token, { tell: true });
    throw reason;
  });
  if (!['won', 'contested', 'unconfirmed'].includes(decision.kind)) {
    // Where somebody else holds it nobody waits for us, and two waiters would wake each other for ever.
    undo(quorum, plan, token, { tell: decision.kind !== 'held' });
  }
  return decision;
}

async function ask(quorum: Quorum, plan: AcquirePlan, token: string, limits: Limits): Promise<Decision> {
  const { clock, rules, fencingStart } = quorum;
  const askedAt = readClocks(clock);
  const sentAtMs = askedAt.atMs;
  const { endAtMs, tickIsOver, late } = limits;
  if (tickIsOver()) return { kind: 'late', votes: [] };
  const timeoutMs = (): number => Math.max(0, Math.min(nodeTimeoutMs(rules, plan.ttlMs), endAtMs - clock.nowMs()));
  // The tick comes last: while its run may yet be undone, the others hear that it is locked, and stay.
  const claims = plan.tick === undefined ? plan.claims : [...plan.claims, tickFrom(sentAtMs, plan.tick, limits)];
  const waiting = { waits: plan.waitMs > 0, waited: limits.waited ?? false };
  const request = { kind: 'acquire', token, owner: rules.owner, claims, fenceStart: fencingStart.next(), ...waiting } as const;
  let wasSettledLate = false;
  const { verdict, votes } = await poll<Ballot>(quorum, request, timeoutMs(), {
    graceMs: 2 * late.settledAfterMs,
    judge: (soFar, servers) => judge(soFar, servers, token),
    judgeAsIs: (soFar, servers) => judgeAsIs(soFar, servers, token),
    onLateVote: (_, __, soFar) => {
      const later = judge(soFar, quorum.couriers.length, token);
      if (wasSettledLate || typeof later !== 'object' || !['won', 'held'].includes(later.kind)) return;
      // By now that may be over; but who has been heard late once is waited for.
      wasSettledLate = true;
      late.settledAfterMs = clock.nowMs() - sentAtMs;
    },
  });
  if (verdict.kind !== 'won') return { ...verdict, votes };

  // What was called off while the servers voted is undone already, and nothing more may be sent for it.
  plan.cancellation?.throwIfCancelled();
  const agreement = await agreeOnFence(quorum, request, votes, timeoutMs());
  if (agreement.fence === undefined) return { kind: 'unconfirmed', votes: agreement.votes };
  fencingStart.note(agreement.fence);
  const grant = {
    token,
    fence: agreement.fence,
    grantedAtMs: sentAtMs,
    askedAt,
    deadlineAtMs: deadlineAtMs(sentAtMs, plan.ttlMs, rules.driftFactor),
  };
  // P19: after a suspension of the machine the lock may be over on the servers.
  const now = readClocks(clock);
  const isOver = now.atMs + uncountedMs(askedAt, now, rules.driftFactor) >= grant.deadlineAtMs || tickIsOver();
  const isTrusted = !isOver && !maybeSuspended(askedAt, now, rules.driftFactor);
  return isTrusted ? { kind: 'won', grant, votes } : { kind: 'late', votes };
}

function tickFrom(nowMs: number, tick: Claim, { tickHoldUntilMs }: Limits): Claim {
  return tickHoldUntilMs === undefined ? tick : { ...tick, ttlMs: Math.max(1, tickHoldUntilMs - nowMs) };
}

/** Takes everything of this token back, the tick included, from every server that may have got it. Nobody waits for it. */
export function undo({ couriers, rules }: Quorum, plan: AcquirePlan, token: string, { tell }: { tell: boolean }): void {
  const keys = plan.tick === undefined ? plan.claims : [plan.tick, ...plan.claims];
  const claims = keys.map(({ key }) => ({ key, ttlMs: 0, channel: tell ? key : undefined }));
  for (const courier of couriers) courier.send({ kind: 'release', token, owner: rules.owner, claims });
}
