import { count, majorityOf, type Vote } from '../vote.js';
import { named, quoted, reasonsOf, RedlockError } from './redlock.error.js';

/**
 * Too many servers failed, timed out or may not vote, so that no process can know which one holds the lock. The message and
 * `votes` give each server with its reason.
 *
 * @publicApi
 */
export class QuorumUnreachableError extends RedlockError {
  static {
    named(this, 'QuorumUnreachableError', 'QUORUM_UNREACHABLE');
  }

  readonly code = 'QUORUM_UNREACHABLE';

  constructor(
    verb: 'acquire' | 'extend' | 'release' | 'read the register of' | 'change the register of',
    keys: readonly string[],
    servers: number,
    votes: readonly Vote[],
  ) {
    super(describe(verb, keys, servers, votes), keys, votes);
  }
}

function describe(verb: string, keys: readonly string[], servers: number, votes: readonly Vote[]): string {
  const majority = majorityOf(servers);
  const failed = count(votes, 'failed');
  const reasons = reasonsOf(votes).join('; ');
  const problem =
    failed > servers - majority
      ? `${majority} of ${servers} servers must take part and ${failed} cannot`
      : "a majority of the servers answered only after the lock's validity had ended";
  return `Could not ${verb} ${quoted(keys)}: ${problem}${reasons === '' ? '' : `. ${reasons}`}.`;
}
