import { Redis, type RedisOptions } from 'ioredis';
import type { Clock } from '../core/ports/clock.js';
import { SilenceError, type Secrets } from './connection.js';
import { guardedConnector } from './guarded-connector.js';
import { MalformedReplyError, ReplyCheck } from './reply-check.js';

/** The kernel asks after this much silence whether the other end is still there. */
const KEEP_ALIVE_MS = 10_000;

/** A server that accepts a connection but does not get ready within this time is tried anew. */
const READY_TIMEOUT_MS = 10_000;

interface Listeners {
  readonly onReady: () => void;
  readonly onMessage: (channel: string, message: string) => void;
  /** Called once, when nothing comes of it any more. */
  readonly onEnd: () => void;
}

/** One connection to a server, from the try to its end. It has a client of its own, and is never made again. */
export class OwnSession {
  readonly #client: Redis;
  readonly #check = new ReplyCheck();
  readonly #startedAtMs: number;
  /** Whether a command was answered, and not with an error. */
  #works = false;
  /** Why it is given up, where it was ended from this side. */
  #verdict: Error | undefined;
  /** The last trouble that the client had with it. */
  #trouble: string | undefined;

  constructor(
    private readonly target: RedisOptions,
    private readonly secrets: Secrets,
    private readonly clock: Clock,
    { onReady, onMessage, onEnd }: Listeners,
  ) {
    this.#startedAtMs = clock.nowMs();
    const client = new Redis(safeOptions(target, this.#check, clock));
    this.#client = client;
    const cancelReadyTimeout = clock.after(READY_TIMEOUT_MS, () => {
      this.#end(new SilenceError(`not ready within ${READY_TIMEOUT_MS} ms`));
    });
    client.on('error', (error: Error) => {
      this.#onError(error);
    });
    client.on('ready', () => {
      cancelReadyTimeout();
      onReady();
    });
    client.on('message', onMessage);
    client.on('end', () => {
      cancelReadyTimeout();
      onEnd();
    });
    client.connect().catch(() => undefined); // The events tell the same, and more.
  }

  async call(command: string, args: readonly (string | number)[]): Promise<unknown> {
    if (command === 'subscribe') this.#check.subscribed = true;
    const reply = await this.#client.call(command, ...args);
    this.#works = true;
    return reply;
  }

  disconnect(): void {
    this.#client.disconnect();
  }

  /** What has not left yet must not be delivered when another connection is there already, so it is thrown away. */
  reset(verdict: Error): void {
    const { stream } = this.#client as { stream?: { resetAndDestroy?(): void } };
    this.#verdict = verdict;
    stream?.resetAndDestroy?.();
    this.#client.disconnect();
  }

  /** Whether it has worked for at least so long, and was closed by the server or by the network. */
  hasWorkedFor(leastMs: number): boolean {
    return this.#works && this.#verdict === undefined && this.clock.nowMs() - this.#startedAtMs >= leastMs;
  }

  /** Why it is over. What the server has said last counts for more than what the socket makes of it. */
  get cause(): Error {
    if (this.#verdict !== undefined) return this.#verdict;
    if (this.#said !== undefined) return this.#said;
    const trouble = this.#trouble ?? 'the connection was closed';
    if (this.#check.heard || (this.#trouble !== undefined && !/ (EPIPE|ECONNRESET)\b/.test(trouble)))
      return new Error(trouble);
    const hint = this.target.tls ? '' : '; a port that speaks TLS does so: it needs a rediss:// URL, or the option tls';
    return new Error(`${trouble}, before the server had said anything${hint}`);
  }

  /** The error that the server has said last, if it has said nothing else after it. */
  get #said(): Error | undefined {
    const { lastError } = this.#check;
    return lastError === undefined ? undefined : new Error(this.secrets.messageOf(new Error(lastError)));
  }

  #onError(error: Error): void {
    this.#trouble = whyOf(this.secrets.messageOf(error));
    // A socket that breaks is no verdict: the server may just close what is idle.
    const isOfSocket = 'syscall' in error;
    // The client would go on, with replies that belong to no command, or to another one.
    const isUnusable = this.#client.status === 'ready' && !isOfSocket;
    if (isUnusable || error instanceof MalformedReplyError) this.#end(this.#said ?? new Error(this.#trouble));
  }

  #end(verdict: Error): void {
    this.#verdict ??= verdict;
    this.#client.disconnect();
  }
}

/** In words that mean something to a user. */
function whyOf(trouble: string): string {
  if (trouble.startsWith('Command queue state error')) return 'it has sent a reply to nothing that it was asked';
  if (/wrong version number|packet length too long/.test(trouble)) {
    return `${trouble}: the server may speak no TLS on this port (a redis:// URL, or no option tls, then)`;
  }
  return trouble;
}

function safeOptions(target: RedisOptions, check: ReplyCheck, clock: Clock): RedisOptions {
  const options = {
    keepAlive: KEEP_ALIVE_MS,
    // The master of Sentinels is told by it. All others are inspected anyway, and may say then that they are loading.
    enableReadyCheck: Boolean(target.sentinels),
    ...target,
    ...SAFE_OPTIONS,
  };
  return { ...options, Connector: guardedConnector(options, check, clock) };
}

/**
 * What makes a lock's connection safe, whatever the user's options say: nothing is queued while there is no connection,
 * nothing is sent twice, and ioredis neither retries nor keeps a timer of its own. It speaks RESP2, in which the same replies
 * come in the same forms with all versions of ioredis. It says nothing of the client's version: that is one write more, and
 * users that are allowed little must not be asked for it.
 */
const SAFE_OPTIONS = {
  // Selected by ourselves: ioredis goes on in database 0 where it is refused.
  db: 0,
  protocol: 2,
  disableClientInfo: true,
  lazyConnect: true,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  enableAutoPipelining: false,
  autoResubscribe: false,
  retryStrategy: () => null,
  sentinelRetryStrategy: () => null,
  reconnectOnError: null,
  commandTimeout: undefined,
  disconnectTimeout: 10,
  stringNumbers: false,
  monitor: false,
} satisfies RedisOptions;
