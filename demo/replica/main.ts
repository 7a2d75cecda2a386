import { shiftClock } from './clock.js';
import { NestFactory } from '@nestjs/core';
import type { LoggerService } from '@nestjs/common';
import { AppModule } from '../app/app.module.js';
import type { Message, Command } from '../messages.js';
import { watch } from './watch.js';

/** One replica: a process of its own with the whole application in it. The coordinator starts it and listens to it. */

// A coordinator that is gone cannot be told anything, and takes its replicas with it.
process.on('disconnect', () => process.exit());

function tell(message: Message): void {
  process.send?.(message, undefined, undefined, () => undefined);
}

const logger: LoggerService = {
  log: () => undefined,
  warn: () => undefined,
  error: (error: unknown) => {
    tell({ kind: 'error', error: error instanceof Error ? error.message : String(error) });
  },
};

watch((message) => {
  tell({ kind: 'tick', ...message });
});
// eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- a class by name, that Nest itself never makes
const application = NestFactory.createApplicationContext(AppModule, { logger, abortOnError: false });

process.on('message', (command: Command) => {
  switch (command.kind) {
    case 'shift':
      shiftClock(command.offsetMs);
      return;
    case 'stop':
      void application
        .then((app) => app.close())
        .catch((error: unknown) => {
          logger.error(error);
        })
        .finally(() => {
          process.disconnect();
        });
      return;
    default:
      command satisfies never;
  }
});

try {
  await application;
  tell({ kind: 'ready' });
} catch (error) {
  logger.error(error);
  process.exitCode = 1;
  process.disconnect();
}
