import type { Socket } from 'node:net';
import { Redis, type RedisOptions } from 'ioredis';
import type { Clock } from '../core/ports/clock.js';
import { isReplyError, SilenceError, type Secrets } from './connection.js';
import { ClientCommands } from './client-commands.js';
import { DirectCommands, UNASKED } from './direct-commands.js';
import { ReplyReader } from './reply-reader.js';
import { MalformedReplyError } from './resp-line.js';
import { safeOptions } from './safe-options.js';

/** A connection that is accepted but not ready within this time is closed, and tried again. */
const READY_TIMEOUT_MS = 10_000;

/** After this time the connection is over also where the client does not say so. It waits 10 ms for the end of its stream. */
const END_TIMEOUT_MS = 100;

interface Listeners {
  readonly onReady: () => void;
  readonly onMessage: (channel: string, message: string) => void;
  /** Called once, when the connection has ended. No other listener is called after that. */
  readonly onEnd: () => void;
}

/** One connection to a server, from the try to its end. It has an ioredis client of its own, and never reconnects. */
export class OwnSession {
  readonly #client: Redis;
  readonly #reader = new ReplyReader();
  readonly #startedAtMs: number;
  /** Whether the server has answered a command without an error. */
  #works = false;
  readonly #viaClient: ClientCommands;
  /** From the first command on that this package writes by itself. */
  #direct: DirectCommands | undefined;
  /** Why this process has closed it, if it has. */
  #verdict: Error | undefined;
  #onEnd: () => void;
  /** The last error of the client. */
  #trouble: string | undefined;

  constructor(
    private readonly target: RedisOptions,
    private readonly secrets: Secrets,
    private readonly clock: Clock,
    { onReady, onMessage, onEnd }: Listeners,
  ) {
    this.#startedAtMs = clock.nowMs();
    const client = new Redis(safeOptions(target, this.#reader, clock));
    this.#client = client;
    this.#viaClient = new ClientCommands(client);
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
    this.#onEnd = () => {
      this.#onEnd = () => undefined;
      cancelReadyTimeout();
      onEnd();
      this.#direct?.failAll(this.cause);
    };
    client.on('end', () => {
      this.#onEnd();
    });
    client.connect().catch(() => undefined); // The events report the same error, and more.
  }

  /** As {@link Connection.send} says. */
  send(
    name: string,
    args: readonly (string | number)[],
    onReply: (reply: unknown) => void,
    onError: (cause: unknown) => void,
  ): void {
    if (name === 'subscribe') this.#reader.subscribed = true;
    const onGoodReply = (reply: unknown): void => {
      this.#works = true;
      onReply(reply);
    };
    try {
      const direct = this.#directly();
      if (direct !== undefined) {
        direct.send(this.#viaClient.textOf(name, args), onGoodReply, onError);
        return;
      }
      this.#viaClient.send(name, args, onGoodReply, (cause) => {
        if (isReplyError(cause)) onError(cause);
        else this.#onBroken(cause, onError);
      });
    } catch (error) {
      this.#onBroken(error, onError); // The command is too long to be written.
    }
  }

  /** Undefined as long as a reply may be for the client, and where it has more to do than to pass replies on. */
  #directly(): DirectCommands | undefined {
    if (this.#direct === undefined && this.#viaClient.isIdle && this.#reader.isBetweenReplies && this.#isPlain) {
      const { stream } = this.#client as unknown as { stream: Socket };
      this.#direct = new DirectCommands(stream, this.#reader);
    }
    return this.#direct;
  }

  /** Messages are for the client, and it keeps the time where the user has set a `socketTimeout`. */
  get #isPlain(): boolean {
    return !this.#reader.subscribed && this.target.socketTimeout === undefined;
  }

  /** When a connection ends, ioredis first rejects its commands, and emits `end` at the end of this turn. The event must come first. */
  #onBroken(cause: unknown, onError: (cause: unknown) => void): void {
    this.clock.atEndOfTurn(() => {
      onError(cause);
    });
  }

  disconnect(): void {
    this.#client.disconnect();
  }

  /** Discards what has not been sent yet, because it must not arrive when the next connection has been made. */
  reset(verdict: Error): void {
    const { stream } = this.#client as { stream?: Partial<Socket> };
    this.#verdict = verdict;
    discard(stream);
    this.#end(verdict);
  }

  /** Whether it has worked for at least this time, and was closed by the server or by the network. */
  hasWorkedFor(leastMs: number): boolean {
    return this.#works && this.#verdict === undefined && this.clock.nowMs() - this.#startedAtMs >= leastMs;
  }

  /** Why it has ended. The last error of the server says more than the error of the socket. */
  get cause(): Error {
    if (this.#verdict !== undefined) return this.#verdict;
    if (this.#said !== undefined) return this.#said;
    const trouble = this.#trouble ?? 'the connection was closed';
    if (this.#reader.heard || (this.#trouble !== undefined && !/ (EPIPE|ECONNRESET)\b/.test(trouble)))
      return new Error(trouble);
    const hint = this.target.tls ? '' : '; a port that speaks TLS does so: it needs a rediss:// URL, or the option tls';
    return new Error(`${trouble}, before the server had said anything${hint}`);
  }

  /** The last reply of the server, if it was an error. */
  get #said(): Error | undefined {
    const { lastError } = this.#reader;
    return lastError === undefined ? undefined : new Error(this.secrets.messageOf(new Error(lastError)));
  }

  #onError(error: Error): void {
    this.#trouble = whyOf(this.secrets.messageOf(error));
    // A socket that breaks is not the fault of the server: it may close idle connections.
    const isOfSocket = 'syscall' in error;
    // The client would continue, and might take a reply for that of a different command.
    const isUnusable = this.#client.status === 'ready' && !isOfSocket;
    if (isUnusable || error instanceof MalformedReplyError) this.#end(this.#said ?? new Error(this.#trouble));
  }

  #end(verdict: Error): void {
    this.#verdict ??= verdict;
    this.#client.disconnect();
    // A client that waits for a Sentinel has no stream of its own yet, and does not say that it has ended.
    this.clock.after(END_TIMEOUT_MS, () => {
      this.#onEnd();
    });
  }
}

/** Only a TCP socket can be reset. Of TLS and of a Unix socket what the kernel has taken may still arrive. */
function discard(stream: Partial<Socket> | undefined): void {
  try {
    stream?.resetAndDestroy?.();
  } catch {
    stream?.destroy?.();
  }
}

/** The error in words that a user of this package understands. */
function whyOf(trouble: string): string {
  if (trouble.startsWith('Command queue state error')) return UNASKED;
  if (/wrong version number|packet length too long/.test(trouble)) {
    return `${trouble}: the server may speak no TLS on this port (a redis:// URL, or no option tls, then)`;
  }
  return trouble;
}
