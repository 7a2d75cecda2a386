import { backoffMs } from './backoff.js';
import { judge, judgeAsIs, type Ballot } from './ballot.js';
import { LockContendedError } from './errors/lock-contended.error.js';
import { QuorumUnreachableError } from './errors/quorum-unreachable.error.js';
import { agreeOnFence } from './fence.js';
import { poll } from './poll.js';
import type { Claim } from './ports/lock-node.js';
import { nodeTimeoutMs, type Quorum } from './quorum.js';
import { deadlineAtMs } from './validity.js';
import type { Vote } from './vote.js';
import { sleep, throwIfAborted, unlessAborted } from './wait.js';

/** What is to be locked, and how hard to try. */
export interface AcquirePlan {
  /** The keys as people know them, for messages. */
  readonly keys: readonly string[];
  /** The locked keys as the servers know them. */
  readonly claims: readonly Claim[];
  /** The key of a tick: claimed together with the lock, and left behind when the lock is released. */
  readonly tick?: Claim | undefined;
  readonly ttlMs: number;
  /** How long to keep trying; 0 is one decision. */
  readonly waitMs: number;
  /** How many more decisions after the first. */
  readonly maxRetries: number;
  readonly signal?: AbortSignal | undefined;
}

/** A majority of the servers carries the lock. */
export interface Grant {
  readonly token: string;
  /** Larger than that of every earlier grant of the key; 0 where the claims have no counters. */
  readonly fence: number;
  readonly grantedAtMs: number;
  readonly deadlineAtMs: number;
}

/**
 * What one decision came to.
 *
 * - `late`: a majority has granted, but the validity was over before it was known.
 * - `unconfirmed`: a majority has granted, and too few of them were still there to agree on a fencing token.
 */
type Decision = { readonly votes: readonly Vote[] } & (
  | Exclude<Ballot, { kind: 'won' }>
  | { readonly kind: 'late' | 'unconfirmed' }
  | { readonly kind: 'won'; readonly grant: Grant }
);

interface Bounds {
  /** No round of a contest begins later. */
  readonly settleUntilMs: number;
  /** No round goes on longer. */
  readonly endAtMs: number;
}

function boundsAfter(waitUntilMs: number, timeoutMs: number): Bounds {
  return { settleUntilMs: waitUntilMs + timeoutMs, endAtMs: waitUntilMs + 2 * timeoutMs };
}

interface Limits {
  readonly endAtMs: number;
  /** How long to wait for slow servers in a contest, as a multiple of what the others have taken. */
  readonly patience: number;
}

/** How often a leader asks again without giving its votes back. Then it may be leading against the votes of the dead. */
const LEADER_ROUNDS = 3;

/** Nobody can tell rounds apart that are shorter: it is about what an event loop takes to turn on a busy machine. */
const SHORTEST_ROUND_MS = 2;

/**
 * Takes the lock, or rejects: {@link LockContendedError}, {@link QuorumUnreachableError}, or the signal's reason. It
 * settles within `waitMs` and two node timeouts. Whatever an attempt that failed has left, or may yet leave, on a server
 * is undone behind.
 */
export async function acquire(quorum: Quorum, plan: AcquirePlan): Promise<Grant> {
  const { clock, entropy, rules } = quorum;
  const timeoutMs = nodeTimeoutMs(rules, plan.ttlMs);
  const waitUntilMs = clock.nowMs() + plan.waitMs;
  let bounds = boundsAfter(waitUntilMs, timeoutMs);

  let wasLate = false;
  for (let retry = 0; ; retry++) {
    const decision = await decide(quorum, plan, bounds);
    if (decision.kind === 'won') return decision.grant;
    // The servers have granted, but this process stood still. They are asked once more, whatever the wait.
    if (decision.kind === 'late' && !wasLate) {
      wasLate = true;
      bounds = boundsAfter(Math.max(waitUntilMs, clock.nowMs()), timeoutMs);
      continue;
    }

    const leftMs = waitUntilMs - clock.nowMs();
    if (leftMs <= 0 || retry >= plan.maxRetries || tickHasRun(decision, plan)) throw toError(quorum, plan, decision);
    const pauseMs = backoffMs(retry, rules.retryDelayMs, rules.maxRetryDelayMs, entropy);
    const remainingMs = decision.kind === 'held' ? decision.holder.remainingMs : Infinity;
    await sleep(clock, Math.max(1, Math.min(pauseMs, remainingMs, leftMs)), plan.signal);
  }
}

/**
 * One decision: won, held or unreachable. A contested vote is none, and is settled in further rounds until
 * the time is over: the leader keeps its votes and asks for the others, everybody else gives theirs back and stays out of
 * the way for a few round trips (P7). Nor is a grant without a fencing token: it is asked for anew.
 */
async function decide(quorum: Quorum, plan: AcquirePlan, bounds: Bounds): Promise<Decision> {
  const { clock, entropy, rules } = quorum;
  let token = entropy.token();
  let led = 0;

  for (let contest = 0; ; contest++) {
    const startedAtMs = clock.nowMs();
    const decision = await round(quorum, plan, token, { endAtMs: bounds.endAtMs, patience: 2 ** contest });
    if (decision.kind !== 'contested' && decision.kind !== 'unconfirmed') return decision;

    const roundMs = Math.max(SHORTEST_ROUND_MS, clock.nowMs() - startedAtMs);
    const keep = decision.kind === 'contested' && decision.leading && led < LEADER_ROUNDS;
    led = keep ? led + 1 : 0;
    // The leader asks again at once, because the others give their votes back at once. They stay out of its way for as
    // long as it needs to ask twice, but ask a last time before they give up: who has won by then is held to have it.
    const wishMs = keep
      ? 0.25 * roundMs * entropy.random()
      : 2 * roundMs * (1 + entropy.random()) + backoffMs(contest, roundMs, rules.maxRetryDelayMs, entropy);
    const pauseMs = Math.min(wishMs, bounds.settleUntilMs - clock.nowMs());
    const giveUp = pauseMs <= 0;
    if (giveUp || !keep) {
      undo(quorum, plan, token);
      token = entropy.token();
    }
    if (giveUp) return decision;
    await sleep(clock, pauseMs, plan.signal).catch((reason: unknown) => {
      undo(quorum, plan, token);
      throw reason;
    });
  }
}

/**
 * Asks every server once, with more patience for slow ones in each further round of a contest. Undoes it unless it is won,
 * or to be tried again: then the caller does.
 */
async function round(quorum: Quorum, plan: AcquirePlan, token: string, limits: Limits): Promise<Decision> {
  throwIfAborted(plan.signal);
  const decision = await unlessAborted(ask(quorum, plan, token, limits), plan.signal).catch((reason: unknown) => {
    undo(quorum, plan, token);
    throw reason;
  });
  if (!['won', 'contested', 'unconfirmed'].includes(decision.kind)) undo(quorum, plan, token);
  return decision;
}

async function ask(quorum: Quorum, plan: AcquirePlan, token: string, { endAtMs, patience }: Limits): Promise<Decision> {
  const { clock, rules } = quorum;
  const sentAtMs = clock.nowMs();
  const timeoutMs = (): number => Math.max(0, Math.min(nodeTimeoutMs(rules, plan.ttlMs), endAtMs - clock.nowMs()));
  // The tick comes last: while its run may yet be undone, the others hear that it is locked, and stay.
  const claims = plan.tick === undefined ? plan.claims : [...plan.claims, plan.tick];
  const request = { kind: 'acquire', token, owner: rules.owner, claims } as const;
  const { verdict, votes } = await poll<Ballot>(quorum, request, timeoutMs(), {
    patience,
    judge: (soFar, servers) => judge(soFar, servers, token),
    judgeAsIs: (soFar, servers) => judgeAsIs(soFar, servers, token),
  });
  if (verdict.kind !== 'won') return { ...verdict, votes };

  const agreement = await agreeOnFence(quorum, request, votes, timeoutMs());
  if (agreement.fence === undefined) return { kind: 'unconfirmed', votes: agreement.votes };
  const grant = {
    token,
    fence: agreement.fence,
    grantedAtMs: sentAtMs,
    deadlineAtMs: deadlineAtMs(sentAtMs, plan.ttlMs, rules.driftFactor),
  };
  return clock.nowMs() < grant.deadlineAtMs ? { kind: 'won', grant, votes } : { kind: 'late', votes };
}

/** Takes everything of this token back, the tick included, from every server that may have got it. Nobody waits for it. */
function undo({ couriers, rules }: Quorum, plan: AcquirePlan, token: string): void {
  const keys = plan.tick === undefined ? plan.claims : [plan.tick, ...plan.claims];
  const claims = keys.map(({ key }) => ({ key, ttlMs: 0 }));
  for (const courier of couriers) courier.send({ kind: 'release', token, owner: rules.owner, claims });
}

function tickHasRun(decision: Decision, { tick }: AcquirePlan): boolean {
  return decision.kind === 'held' && decision.holder.key === tick?.key;
}

function toError({ couriers }: Quorum, plan: AcquirePlan, decision: Exclude<Decision, { kind: 'won' }>): Error {
  switch (decision.kind) {
    case 'held':
    case 'contested': {
      const what = tickHasRun(decision, plan) ? 'tick' : decision.kind;
      return new LockContendedError(plan.keys, decision.holder, decision.votes, what);
    }
    case 'unreachable':
    case 'unconfirmed':
    case 'late':
      return new QuorumUnreachableError('acquire', plan.keys, couriers.length, decision.votes);
    default:
      return decision satisfies never;
  }
}
