import { backoffMs } from './backoff.js';
import { boundsAfter, decide, type Decision } from './decide.js';
import { LockContendedError } from './errors/lock-contended.error.js';
import { QuorumUnreachableError } from './errors/quorum-unreachable.error.js';
import type { Claim } from './ports/lock-node.js';
import { nodeTimeoutMs, type Quorum } from './quorum.js';
import { sleep } from './wait.js';

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
