import { extendVerdict, type Renewal } from './verdicts.js';
import { askServers } from './ask-servers.js';
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
  /** Told of each vote that comes after a majority has renewed it. */
  readonly onLateVote: (vote: Vote) => void;
}

/**
 * Asks every server once to begin the ttl anew, and puts nothing back where it is gone: only who still has it counts, and what
 * an operator has removed must not come back by itself. Settles within one node timeout, and before the old validity ends.
 */
export async function extend(
  quorum: Quorum,
  { token, fence, claims, ttlMs, validityMs, onLateVote }: ExtendPlan,
): Promise<{ renewal: Renewal; votes: readonly Vote[] }> {
  const { rules } = quorum;
  const timeoutMs = Math.min(nodeTimeoutMs(rules, ttlMs), validityMs);
  const request = { kind: 'extend', token, owner: rules.owner, claims, fence } as const;
  const { verdict, votes } = await askServers<Renewal>(quorum, request, timeoutMs, {
    verdictOf: extendVerdict,
    onLateVote: (vote, verdict) => {
      if (verdict === 'renewed') onLateVote(vote);
    },
  });
  return { renewal: verdict, votes };
}
