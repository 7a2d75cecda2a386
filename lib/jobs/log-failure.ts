import { Logger } from '@nestjs/common';
import { errorStack, errorText } from '../core/error-text.js';
import type { LockedMethod } from '../decorators/locked-method.js';
import { CONTEXT, RUN_FAILED } from '../redlock.messages.js';

/** Writes the error of a run to the log, where no caller takes it: as the scheduler does. */
export function logFailure({ label, options }: LockedMethod, error: unknown): void {
  const stack = errorStack(error);
  const line = RUN_FAILED(label, errorText(error));
  new Logger(CONTEXT(options.instance)).error(line, ...(stack === undefined ? [] : [stack]));
}
