import { judgeRenewal, type Renewal } from './ballot.js';
import { poll } from './poll.js';
import type { Claim } from './ports/lock-node.js';
import { nodeTimeoutMs, type Quorum } from './quorum.js';
import type { Vote } from './vote.js';

/** What is to be extended, and for how long there is something to extend. */
export interface ExtendPlan {
  readonly token: string;
  readonly fence: number;
  readonly claims: readonly Claim[];
  readonly ttlMs: number;
  readonly validityMs: number;
}

/** Asks every server once to begin the ttl anew. Settles within one node timeout, and before the old validity ends. */
export async function extend(
  quorum: Quorum,
  { token, fence, claims, ttlMs, validityMs }: ExtendPlan,
): Promise<{ renewal: Renewal; votes: readonly Vote[] }> {
  const { rules } = quorum;
  const timeoutMs = Math.min(nodeTimeoutMs(rules, ttlMs), validityMs);
  const request = { kind: 'extend', token, owner: rules.owner, claims, fence } as const;
  const { verdict, votes } = await poll<Renewal>(quorum, request, timeoutMs, { judge: judgeRenewal });
  return { renewal: verdict, votes };
}
