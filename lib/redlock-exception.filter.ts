import { Catch, HttpException, Logger, type ArgumentsHost } from '@nestjs/common';
import { BaseExceptionFilter } from '@nestjs/core';
import { isRedlockError, RedlockError } from './core/errors/index.js';
import type { LockContendedError } from './core/errors/index.js';

/** When the servers cannot be reached, or the application shuts down: after this time another try may find it otherwise. */
const UNREACHABLE_RETRY_SECONDS = 5;

/** What a client is told: nothing of hosts, keys or owners. */
interface Answer {
  readonly status: number;
  readonly error: string;
  readonly message: string;
  readonly retryAfterSeconds: number;
}

/**
 * Turns the errors of locks into HTTP answers, on Express and Fastify: 409 with `Retry-After` where another call holds the lock, 503
 * with `Retry-After` where too few servers answer or the application shuts down. The body has no hosts and no keys; what it was
 * is logged. All other errors of the package are 500, as errors that nothing catches are.
 *
 * `{ provide: APP_FILTER, useClass: RedlockExceptionFilter }` in the providers of a module, `@UseFilters(RedlockExceptionFilter)`, or `app.useGlobalFilters(new RedlockExceptionFilter())`.
 *
 * In other contexts it changes nothing: in microservices and gateways Nest answers as without it, in GraphQL the error is passed on.
 *
 * @publicApi
 */
@Catch(RedlockError)
export class RedlockExceptionFilter extends BaseExceptionFilter<RedlockError> {
  readonly #logger = new Logger('Redlock');

  override catch(error: RedlockError, host: ArgumentsHost): void {
    switch (host.getType<string>()) {
      case 'http':
        this.#answer(error, host);
        return;
      case 'rpc':
        return; // Nest goes on with its own filter.
      case 'ws':
        emitError(host);
        return;
      default:
        throw error;
    }
  }

  #answer(error: RedlockError, host: ArgumentsHost): void {
    const answer = answerTo(error);
    const http = this.applicationRef ?? this.httpAdapterHost?.httpAdapter;
    if (http === undefined) {
      this.#answerDirectly(error, answer, host.getArgByIndex<HttpResponse>(1));
      return;
    }
    if (answer === undefined) {
      super.catch(error, host);
      return;
    }
    const { status, retryAfterSeconds } = answer;
    this.#logger[status === 409 ? 'debug' : 'error'](error.message);
    const response = host.getArgByIndex<unknown>(1);
    if (!http.isHeadersSent(response)) http.setHeader(response, 'Retry-After', String(retryAfterSeconds));
    super.catch(new HttpException(bodyOf(answer), status) as never, host);
  }

  /** Nest gives no adapter to a filter that the user makes with `new`. What is used here Express and Fastify have in common. */
  #answerDirectly(error: RedlockError, answer: Answer | undefined, response: HttpResponse): void {
    this.#logger[answer?.status === 409 ? 'debug' : 'error'](
      answer === undefined ? (error.stack ?? error) : error.message,
    );
    if (response.headersSent === true || response.sent === true) return;
    if (answer === undefined) response.status(500).send({ statusCode: 500, message: 'Internal server error' });
    else {
      response.header('Retry-After', String(answer.retryAfterSeconds));
      response.status(answer.status).send(bodyOf(answer));
    }
  }
}

interface HttpResponse {
  readonly headersSent?: boolean;
  readonly sent?: boolean;
  header(name: string, value: string): unknown;
  status(code: number): { send(body: object): unknown };
}

function bodyOf({ status: statusCode, error, message }: Answer): object {
  return { statusCode, error, message };
}

function answerTo(error: RedlockError): Answer | undefined {
  if (isRedlockError(error, 'LOCK_CONTENDED')) {
    const { remainingMs = 0, undecided, reason } = error as Partial<LockContendedError>;
    const seconds = undecided || !Number.isFinite(remainingMs) ? 1 : Math.max(1, Math.ceil(remainingMs / 1000));
    const message = reason === 'paused' ? 'Paused.' : 'Locked by another call.';
    return { status: 409, error: 'Conflict', message, retryAfterSeconds: seconds };
  }
  if (isRedlockError(error, 'QUORUM_UNREACHABLE') || isRedlockError(error, 'SHUTDOWN')) {
    const message = 'No lock can be had at the moment.';
    return { status: 503, error: 'Service Unavailable', message, retryAfterSeconds: UNREACHABLE_RETRY_SECONDS };
  }
  return undefined;
}

/** As the filter of gateways does it that Nest would ask if there were none of the user's. */
function emitError(host: ArgumentsHost): void {
  const client = host.switchToWs().getClient<{ emit?(event: string, error: object): void }>();
  client.emit?.('exception', { status: 'error', message: 'Internal server error' });
}
