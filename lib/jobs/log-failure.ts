import { Logger } from '@nestjs/common';
import type { LockedMethod } from '../decorators/locked-method.js';
import { CONTEXT, RUN_FAILED } from '../redlock.messages.js';

/** Writes the error of a run to the log, where no caller takes it: as the scheduler does. */
export function logFailure({ label, options }: LockedMethod, error: unknown): void {
  const logger = new Logger(CONTEXT(options.instance));
  if (error instanceof Error) logger.error(RUN_FAILED(label, error.message), error.stack);
  else logger.error(RUN_FAILED(label, String(error)));
}
