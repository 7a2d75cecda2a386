import { count, majorityOf, type Vote } from '../vote.js';
import { named, quoted, reasonsOf, RedlockError } from './redlock.error.js';

/**
 * Too many servers failed, timed out or may not vote, so that no process can know which one holds the lock. Or a lock was gone from the
 * servers, through a `forceRelease` or a loss of data, before a majority had confirmed it. The message and `votes` give each server
 * with its reason.
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
  const reasons = reasonsOf(votes).join('; ');
  return `Could not ${verb} ${quoted(keys)}: ${problemOf(votes, servers, majority)}${reasons === '' ? '' : `. ${reasons}`}.`;
}

function problemOf(votes: readonly Vote[], servers: number, majority: number): string {
  const failed = count(votes, 'failed');
  if (failed > servers - majority) return `${majority} of ${servers} servers must take part and ${failed} cannot`;
  const kept = count(votes, 'granted') + count(votes, 'confirmed') + count(votes, 'renewed');
  const gone = count(votes, 'absent') + count(votes, 'taken');
  if (kept < majority && failed + gone > 0) {
    const lost = gone === 0 ? '' : `, and ${gone} did not have it any more`;
    return `fewer than ${majority} of ${servers} servers confirmed the lock${lost}`;
  }
  return "a majority of the servers answered only after the lock's validity had ended";
}
