import { named, RedlockError } from './redlock.error.js';

/**
 * Bad input: names the option, what it got and what it takes. Thrown before anything is done.
 *
 * @publicApi
 */
export class InvalidOptionsError extends RedlockError {
  static {
    named(this, 'InvalidOptionsError', 'INVALID_OPTIONS');
  }

  readonly code = 'INVALID_OPTIONS';

  constructor(
    /** The option or argument that was refused. */
    readonly option: string,
    problem: string,
  ) {
    super(`${option}: ${problem}`);
  }

  override toJSON(): object {
    return { ...super.toJSON(), option: this.option };
  }
}
