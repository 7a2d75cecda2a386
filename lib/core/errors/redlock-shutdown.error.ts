import { named, quoted, RedlockError } from './redlock.error.js';

/**
 * The application shuts down: no more locks are given out, and waiting for one has ended.
 *
 * @publicApi
 */
export class RedlockShutdownError extends RedlockError {
  static {
    named(this, 'RedlockShutdownError', 'SHUTDOWN');
  }

  readonly code = 'SHUTDOWN';

  constructor(keys: readonly string[] = []) {
    const what = keys.length > 0 ? `${quoted(keys)} cannot be locked any more` : 'No lock is given out any more';
    super(`${what}: the application shuts down.`, keys);
  }
}
