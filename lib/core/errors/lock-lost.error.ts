import type { Vote } from '../vote.js';
import { quoted, RedlockError } from './redlock.error.js';

/**
 * - `expired`: the validity ended and no majority had confirmed an extension.
 * - `taken`: so many servers no longer have the lock that somebody else may have got it.
 * - `shutdown`: the application closed, and the work had not ended in time.
 */
export type LossReason = 'expired' | 'taken' | 'shutdown';

/**
 * The lock could no longer be trusted while it was held. It is the reason of `lock.signal`, and what `withLock` and
 * `@WithLock` reject with when the work ended well but too late.
 *
 * @publicApi
 */
export class LockLostError extends RedlockError {
  readonly code = 'LOCK_LOST';

  constructor(
    keys: readonly string[],
    readonly reason: LossReason,
    votes: readonly Vote[] = [],
  ) {
    super(describe(keys, reason), keys, votes);
  }
}

function describe(keys: readonly string[], reason: LossReason): string {
  const name = quoted(keys);
  switch (reason) {
    case 'expired':
      return `The lock on ${name} has expired: its time was over, and no extension was confirmed before.`;
    case 'taken':
      return `The lock on ${name} is lost: too many servers no longer have it. They have forgotten it, it was released by force, or somebody else has it.`;
    case 'shutdown':
      return `The lock on ${name} was given up, because the application shuts down.`;
    default:
      return reason satisfies never;
  }
}
