import type { LockClient } from '../client/lock-client.js';
import type { Arguments } from './arguments.js';
import type { Io } from './io.js';
import type { Output } from './output.js';

/** What a command works with. */
export interface Context {
  readonly args: Arguments;
  readonly client: LockClient;
  readonly output: Output;
  readonly io: Io;
}

/**
 * How a command has ended, for scripts:
 *
 * - 0: all is well.
 * - 1: it works, with something to look at; of `release`: nothing was released.
 * - 2: locks are not safe or cannot be had, too few servers have answered, or the command line is wrong.
 */
export type ExitCode = 0 | 1 | 2;

/** Writes its result to the output. */
export type Command = (context: Context) => Promise<ExitCode>;
