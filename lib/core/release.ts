import { judgeRelease } from './ballot.js';
import { QuorumUnreachableError } from './errors/quorum-unreachable.error.js';
import { poll } from './poll.js';
import type { Claim } from './ports/lock-node.js';
import type { Quorum } from './quorum.js';

/** What is to be given back, and until when it stays, so that nobody follows too soon. */
export interface ReleasePlan {
  readonly keys: readonly string[];
  readonly token: string;
  readonly claims: readonly Claim[];
  readonly keepUntilMs: number;
  readonly timeoutMs: number;
}

/**
 * Gives the lock back on every server, also on those that never answered. Settles when a majority has confirmed, within
 * one node timeout; the rest is delivered behind, whenever those servers answer again. Says how many have heard of it.
 *
 * Rejects with {@link QuorumUnreachableError} when no majority confirms: then others may have to wait for the ttl.
 */
export async function release(
  quorum: Quorum,
  { keys, token, claims, keepUntilMs, timeoutMs }: ReleasePlan,
): Promise<{ heard: number }> {
  const request = { kind: 'release', token, owner: quorum.rules.owner, claims, keepUntilMs } as const;
  const { verdict, votes } = await poll(quorum, request, timeoutMs, { judge: judgeRelease });
  if (verdict === 'unknown') throw new QuorumUnreachableError('release', keys, quorum.couriers.length, votes);
  return { heard: Math.max(...votes.map((vote) => (vote.outcome === 'released' ? (vote.heard ?? 0) : 0))) };
}
