import { count, majorityOf, type Vote } from '../vote.js';
import { quoted, RedlockError } from './redlock.error.js';

/**
 * Too many servers failed, timed out or may not vote, so that nobody can know who holds the lock. The message and
 * `votes` give each server with its reason.
 *
 * @publicApi
 */
export class QuorumUnreachableError extends RedlockError {
  readonly code = 'QUORUM_UNREACHABLE';

  constructor(
    verb: 'acquire' | 'extend' | 'release',
    keys: readonly string[],
    servers: number,
    votes: readonly Vote[],
  ) {
    super(describe(verb, keys, servers, votes), keys, votes);
  }
}

function describe(verb: string, keys: readonly string[], servers: number, votes: readonly Vote[]): string {
  const majority = majorityOf(servers);
  const reasons = votes.flatMap((vote) =>
    vote.outcome === 'failed' ? [`${vote.server}: ${vote.cause.message.replace(/\.$/, '')}`] : [],
  );
  const problem =
    reasons.length > servers - majority
      ? `${majority} of ${servers} servers must take part and ${count(votes, 'failed')} cannot`
      : 'the answers of the servers came so late that the lock would have been worth nothing';
  return `Could not ${verb} ${quoted(keys)}: ${problem}${reasons.length > 0 ? `. ${reasons.join('; ')}` : ''}.`;
}
