import { named, quoted, RedlockError } from './redlock.error.js';

/**
 * A verb was used on a lock that had been released already.
 *
 * @publicApi
 */
export class LockReleasedError extends RedlockError {
  static {
    named(this, 'LockReleasedError', 'LOCK_RELEASED');
  }

  readonly code = 'LOCK_RELEASED';

  constructor(keys: readonly string[], verb: 'hold' | 'extend' | 'release') {
    super(`Cannot ${verb} ${quoted(keys)}: this lock has been released.`, keys);
  }
}
