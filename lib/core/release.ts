import { releaseVerdict, releaseVerdictSoFar, type Release } from './verdicts.js';
import { QuorumUnreachableError } from './errors/quorum-unreachable.error.js';
import { Question, type Answers } from './ask-servers.js';
import type { Claim } from './ports/lock-node.js';
import type { Quorum } from './quorum.js';
import type { Vote } from './vote.js';

/** What is to be given back, and until when it stays, so that nobody follows too soon. */
export interface ReleasePlan {
  readonly keys: readonly string[];
  readonly token: string;
  readonly claims: readonly Claim[];
  /** On the clock of this process. */
  readonly keepUntilMs: number | undefined;
  readonly timeoutMs: number;
}

/** What came of a release. */
export interface Released {
  /** How many listeners have heard of it. */
  readonly heard: number;
  /**
   * So many servers did not have the lock any more that no majority can have had it: another process may have held it. They are
   * believed because this is their answer to the first delivery; a release that is delivered again finds nothing in any case.
   */
  readonly gone: boolean;
  readonly votes: readonly Vote[];
}

/**
 * Gives the lock back on every server, also on those that never answered. Settles when a majority has confirmed, within
 * one node timeout; the rest is delivered behind, whenever those servers answer again.
 *
 * Rejects with {@link QuorumUnreachableError} when no majority confirms: then others may have to wait for the ttl.
 */
export function release(
  quorum: Quorum,
  { keys, token, claims, keepUntilMs, timeoutMs }: ReleasePlan,
): Promise<Released> {
  const request = { kind: 'release', token, owner: quorum.rules.owner, claims, keepUntilMs } as const;
  return new Promise((resolve, reject) => {
    const onVerdict = ({ verdict, votes }: Answers<Release>): void => {
      if (verdict === 'unknown') reject(new QuorumUnreachableError('release', keys, quorum.queues.length, votes));
      else resolve({ heard: mostHeard(votes), gone: verdict === 'gone', votes });
    };
    new Question<Release>(quorum, RULES, onVerdict, reject).ask(request, timeoutMs);
  });
}

const RULES = { verdictOf: releaseVerdict, verdictSoFar: releaseVerdictSoFar };

function mostHeard(votes: readonly Vote[]): number {
  let heard = 0;
  for (const vote of votes) if (vote.outcome === 'released') heard = Math.max(heard, vote.heard ?? 0);
  return heard;
}
