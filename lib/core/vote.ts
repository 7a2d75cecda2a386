import type { NodeReply } from './ports/lock-node.js';

/** One server's answer to one question of a lock. */
export type Vote = (NodeReply | { /** Not in when the verdict was found. */ readonly outcome: 'unanswered' }) & {
  readonly server: string;
  /** Its place among those that were asked. */
  readonly position: number;
};

type Outcome = Vote['outcome'];

export function count(votes: readonly Vote[], outcome: Outcome): number {
  let sum = 0;
  for (const vote of votes) if (vote.outcome === outcome) sum++;
  return sum;
}

/** The smallest number of servers of which any two sets share one: with an even number one more than half. */
export function majorityOf(servers: number): number {
  return Math.floor(servers / 2) + 1;
}
