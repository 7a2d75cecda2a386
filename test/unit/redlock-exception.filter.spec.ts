import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ConsoleLogger, Logger, type ArgumentsHost } from '@nestjs/common';
import type { AbstractHttpAdapter } from '@nestjs/core';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import {
  LockContendedError,
  LockLostError,
  QuorumUnreachableError,
  RedlockExceptionFilter,
  RedlockShutdownError,
  type RedlockError,
} from 'redlock-nestjs';
import { CollectingLogger } from '../support/collecting-logger.js';

const logger = new CollectingLogger();
beforeEach(() => {
  logger.lines.splice(0);
  Logger.overrideLogger(logger);
});
afterAll(() => {
  Logger.overrideLogger(new ConsoleLogger());
});

const KEYS = ['order:secret-42'];
const contended = (remainingMs: number, what: 'held' | 'contested' = 'held'): LockContendedError =>
  new LockContendedError(KEYS, { owner: 'host-7:1', remainingMs }, [], what);
const unreachable = new QuorumUnreachableError('acquire', KEYS, 1, [
  { server: 'redis-7:6379', position: 0, outcome: 'failed', reason: 'timeout', cause: new Error('no answer') },
]);

function contextOf(type: string, ...args: unknown[]): ArgumentsHost {
  const host = new ExecutionContextHost(args);
  host.setType(type);
  return host;
}

/** What a client sees. */
function answerTo(error: RedlockError, isSent = false): { status?: number; body?: unknown; headers: object } {
  const seen: { status?: number; body?: unknown; headers: Record<string, string> } = { headers: {} };
  const adapter: Partial<AbstractHttpAdapter> = {
    isHeadersSent: () => isSent,
    setHeader: (_, name, value) => (seen.headers[name] = value),
    reply: (_, body, status) => Object.assign(seen, { body: body as unknown, status }) as unknown,
    end: () => undefined,
  };
  new RedlockExceptionFilter(adapter as AbstractHttpAdapter).catch(error, contextOf('http', {}, {}));
  return seen;
}

describe('RedlockExceptionFilter', () => {
  it.each<[string, RedlockError, number, string]>([
    ['a lock that is held', contended(2500), 409, '3'],
    ['one that is free in a moment', contended(0.4), 409, '1'],
    ['one that never expires', contended(Infinity), 409, '1'],
    ['a vote that stayed split', contended(9000, 'contested'), 409, '1'],
    ['servers that do not answer', unreachable, 503, '5'],
    ['an application that shuts down', new RedlockShutdownError(KEYS), 503, '5'],
  ])(
    'answers to %s with the status and when to come again, and tells nothing of hosts and keys',
    (_, error, status, seconds) => {
      const { body, ...seen } = answerTo(error);
      expect(seen).toEqual({ status, headers: { 'Retry-After': seconds } });
      expect(body).toMatchObject({ statusCode: status });
      expect(JSON.stringify(body)).not.toMatch(/secret|host-7|redis-7/);
      expect(logger.lines).toEqual([
        { level: status === 409 ? 'debug' : 'error', text: expect.stringContaining(error.message) },
      ]);
    },
  );

  it('says of a job that is paused that it is, and not that another call has the lock', () => {
    const paused = new LockContendedError(KEYS, { owner: '', remainingMs: 54_000 }, [], 'paused');
    expect(answerTo(paused)).toMatchObject({ status: 409, body: { message: 'Paused.' } });
    expect(answerTo(contended(1000))).toMatchObject({ status: 409, body: { message: 'Locked by another call.' } });
  });

  it('answers to all other errors as Nest does', () => {
    const { status, headers } = answerTo(new LockLostError(KEYS, 'expired'));
    expect({ status, headers }).toEqual({ status: 500, headers: {} });
    expect(logger.problems).toEqual([expect.stringMatching(/^LockLostError/)]);
  });

  it('touches no headers that were sent', () => {
    expect(answerTo(contended(1000), true)).toEqual({ headers: {} });
  });

  it.each(['Express', 'Fastify'])(
    'answers on %s without the adapter, which one that is made with `new` has not',
    (framework) => {
      const answers: unknown[] = [];
      const responseOf = (isSent: boolean): object => {
        const response = {
          [framework === 'Express' ? 'headersSent' : 'sent']: isSent,
          header: (...header: string[]) => answers.push(header),
          status: (code: number) => {
            answers.push(code);
            return response;
          },
          send: (body: object) => answers.push(body),
        };
        return response;
      };
      const filter = new RedlockExceptionFilter();
      filter.catch(contended(2500), contextOf('http', {}, responseOf(false)));
      expect(answers).toEqual([
        ['Retry-After', '3'],
        409,
        expect.objectContaining({ statusCode: 409, error: 'Conflict' }),
      ]);
      answers.splice(0);
      filter.catch(new LockLostError(KEYS, 'expired', []), contextOf('http', {}, responseOf(false)));
      expect(answers).toEqual([500, { statusCode: 500, message: 'Internal server error' }]);
      expect(logger.problems).toHaveLength(1);
      answers.splice(0);
      filter.catch(contended(2500), contextOf('http', {}, responseOf(true)));
      expect(answers).toEqual([]);
    },
  );

  it('leaves other contexts to Nest', () => {
    const filter = new RedlockExceptionFilter();
    const error = contended(1000);
    const sent: unknown[] = [];
    filter.catch(error, contextOf('rpc', {}, {}));
    filter.catch(error, contextOf('ws', { emit: (...args: unknown[]) => sent.push(args) }, {}));
    expect(sent).toEqual([['exception', { status: 'error', message: 'Internal server error' }]]);
    expect(() => {
      filter.catch(error, contextOf('graphql', {}, {}));
    }).toThrow(error);
  });
});
