import type { Claim } from './ports/lock-node.js';
import type { Quorum } from './quorum.js';
import type { Vote } from './vote.js';

/** A lock that a majority of the servers still has. */
export interface HealPlan {
  readonly token: string;
  readonly fence: number;
  readonly claims: readonly Claim[];
}

/**
 * Puts the lock back where these votes say that it is gone (P12), so that servers which are restarted one after the other do
 * not eat it. That must wait until a majority has renewed it: a lock that is put back before could be counted the next time,
 * although somebody else has had it in between. Nobody waits for the answers.
 */
export function heal({ queues, rules }: Quorum, { token, fence, claims }: HealPlan, votes: readonly Vote[]): void {
  for (const { outcome, position } of votes) {
    if (outcome !== 'absent') continue;
    queues[position]?.send({ kind: 'heal', token, owner: rules.owner, claims, fence });
  }
}
