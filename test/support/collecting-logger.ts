import { inspect } from 'node:util';
import type { LoggerService } from '@nestjs/common';

type Level = 'log' | 'error' | 'warn' | 'debug' | 'verbose' | 'fatal';

/** Keeps what is logged, so that a test can say that nothing bad was. */
export class CollectingLogger implements LoggerService {
  readonly lines: { level: Level; text: string }[] = [];
  /** The errors that were logged, as the logger of Nest prints them. */
  readonly printedErrors: string[] = [];

  log = this.#collect('log');
  error = this.#collect('error');
  warn = this.#collect('warn');
  debug = this.#collect('debug');
  verbose = this.#collect('verbose');
  fatal = this.#collect('fatal');

  /** Everything that somebody should look at. */
  get problems(): string[] {
    return this.lines.filter(({ level }) => ['error', 'warn', 'fatal'].includes(level)).map(({ text }) => text);
  }

  of(level: Level): string[] {
    return this.lines.filter((line) => line.level === level).map(({ text }) => text);
  }

  #collect(level: Level) {
    return (message: unknown, ...rest: unknown[]): void => {
      const text = message instanceof Error ? `${message.name}: ${message.message}` : String(message);
      this.lines.push({ level, text: [text, ...rest.filter((each) => typeof each === 'string')].join(' ') });
      if (level === 'error' && message instanceof Error) this.printedErrors.push(inspect(message));
    };
  }
}
