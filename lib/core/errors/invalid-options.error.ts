import { RedlockError } from './redlock.error.js';

/**
 * Bad input: names the option, what it got and what it takes. Thrown before anything is done.
 *
 * @publicApi
 */
export class InvalidOptionsError extends RedlockError {
  readonly code = 'INVALID_OPTIONS';

  constructor(
    /** The option or argument that was refused. */
    readonly option: string,
    problem: string,
  ) {
    super(`${option}: ${problem}`);
  }
}
