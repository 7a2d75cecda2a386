import type { Vote } from '../vote.js';
import { named, quoted, reasonsOf, RedlockError } from './redlock.error.js';

/**
 * - `expired`: the validity ended and no majority of the servers had confirmed an extension before.
 * - `taken`: so many servers no longer have the lock that another process may have got it.
 * - `suspended`: the machine stood still, and the servers have not confirmed yet that the lock is still held. Only
 *   `assertHeld()` throws this, and work that ends in the meantime; the lock is held again as soon as a majority confirms it.
 * - `shutdown`: the application closed, and the work had not ended in time.
 */
export type LossReason = 'expired' | 'taken' | 'suspended' | 'shutdown';

/**
 * The lock could no longer be trusted while it was held. It is the reason of `lock.signal`, and what `withLock` and
 * `@WithLock` reject with when the work ended well but too late. `votes` are those of the last extension, so that they say why
 * none was confirmed.
 *
 * @publicApi
 */
export class LockLostError extends RedlockError {
  static {
    named(this, 'LockLostError', 'LOCK_LOST');
  }

  readonly code = 'LOCK_LOST';

  constructor(
    keys: readonly string[],
    readonly reason: LossReason,
    votes: readonly Vote[] = [],
  ) {
    super(describe(keys, reason, votes), keys, votes);
  }

  override toJSON(): object {
    return { ...super.toJSON(), reason: this.reason };
  }
}

function describe(keys: readonly string[], reason: LossReason, votes: readonly Vote[]): string {
  const name = quoted(keys);
  const reasons = reasonsOf(votes).join('; ');
  const why = reasons === '' ? '' : ` The last extension: ${reasons}.`;
  switch (reason) {
    case 'expired':
      return `The lock on ${name} has expired: its time was over, and no extension was confirmed before.${why}`;
    case 'taken':
      return (
        `The lock on ${name} is lost: too many servers no longer have it. ` +
        `They have forgotten it, it was released by force, or another process has it.`
      );
    case 'suspended':
      return `The lock on ${name} may be lost: this machine stood still, and the servers have not confirmed it since.${why}`;
    case 'shutdown':
      return `The lock on ${name} was given up, because the application shuts down.`;
    default:
      return reason satisfies never;
  }
}
