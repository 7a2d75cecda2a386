import { Redis, type RedisOptions } from 'ioredis';
import type { Cancel, Clock } from '../core/ports/clock.js';
import type { NodeState } from '../core/ports/lock-node.js';
import { CLOSED, publicMessage, spaceOf, toCallError, type SubscriberConnection } from './connection.js';

/** Milliseconds, between two tries to connect. */
export interface ReconnectRules {
  readonly reconnectDelayMs: number;
  readonly maxReconnectDelayMs: number;
}

/** A server that accepts a connection but does not get ready within this time is tried anew. */
const READY_TIMEOUT_MS = 10_000;

/** A connection on which nothing has been answered for so long is given up: its other end may have vanished. */
const SILENCE_MS = 10_000;

/** The kernel asks after this much silence whether the other end is still there. */
const KEEP_ALIVE_MS = 10_000;

/**
 * A connection that we make, and make again when it breaks, with a fresh client each time: so no queue survives from
 * which ioredis could send a command again that has long been given up (ioredis issue 2130). All retrying is ours.
 *
 * A server that is down is tried again at growing distances, and at once when somebody wants it and the last try is at
 * least the shortest distance ago.
 */
export class OwnConnection implements SubscriberConnection {
  readonly clustered = false;
  readonly ended = false;
  readonly caveats = [];
  epoch = 0;

  #client: Redis | undefined;
  #space: string | undefined;
  #state: NodeState | 'idle' | 'closed' = 'idle';
  /** Why the present client will have ended, if it does. */
  #cause = new Error('never connected');
  #failures = 0;
  #lastTryAtMs = -Infinity;
  #cancelRetry: Cancel = () => undefined;
  #cancelWatch: Cancel | undefined;
  #unanswered = 0;
  #lastReplyAtMs = 0;
  readonly #listeners: ((state: NodeState) => void)[] = [];
  readonly #onMessage: ((channel: string, message: string) => void)[] = [];

  constructor(
    readonly name: string,
    private readonly target: () => { readonly url?: string; readonly options: RedisOptions },
    private readonly rules: ReconnectRules,
    private readonly clock: Clock,
  ) {}

  /** As ioredis reads it from the url or the options. */
  get space(): string {
    return (this.#space ??= spaceOf(this.#newClient().options));
  }

  reach(): NodeState {
    const state = this.#state;
    if (state === 'closed') return { status: 'down', cause: CLOSED };
    const mayTry = this.clock.nowMs() - this.#lastTryAtMs >= this.rules.reconnectDelayMs;
    if (state !== 'idle' && !(state.status === 'down' && mayTry)) return state;
    this.#connect();
    return { status: 'connecting' };
  }

  onChange(listener: (state: NodeState) => void): void {
    this.#listeners.push(listener);
  }

  onMessage(listener: (channel: string, message: string) => void): void {
    this.#onMessage.push(listener);
  }

  async call(command: string, args: readonly (string | number)[]): Promise<unknown> {
    const client = this.#client;
    if (client === undefined) throw new Error('not connected');
    this.#unanswered++;
    this.#watchSilence();
    try {
      return await client.call(command, ...args);
    } catch (error) {
      throw toCallError(error);
    } finally {
      this.#unanswered--;
      this.#lastReplyAtMs = this.clock.nowMs();
    }
  }

  close(): void {
    this.#state = 'closed';
    this.#cancelRetry();
    this.#cancelWatch?.();
    this.#client?.disconnect();
    this.#client = undefined;
    this.#notify();
  }

  #connect(): void {
    this.#cancelRetry();
    this.#lastTryAtMs = this.clock.nowMs();
    this.#state = { status: 'connecting' };
    const client = this.#newClient();
    this.#client = client;
    this.epoch++;
    this.#cause = new Error('the connection was closed');
    const cancelReadyTimeout = this.clock.after(READY_TIMEOUT_MS, () => {
      this.#cause = new Error(`not ready within ${READY_TIMEOUT_MS} ms`);
      client.disconnect();
    });
    client.on('error', (error: Error) => {
      if (client === this.#client) this.#cause = new Error(publicMessage(error));
    });
    client.on('ready', () => {
      cancelReadyTimeout();
      this.#onReady(client);
    });
    client.on('message', (channel: string, message: string) => {
      for (const listener of this.#onMessage) listener(channel, message);
    });
    client.on('end', () => {
      cancelReadyTimeout();
      this.#onEnd(client, this.#cause);
    });
    client.connect().catch(() => undefined); // The events tell the same, and more.
  }

  #newClient(): Redis {
    const target = this.target();
    const options = { keepAlive: KEEP_ALIVE_MS, ...target.options, ...SAFE_OPTIONS };
    return target.url === undefined ? new Redis(options) : new Redis(target.url, options);
  }

  #onReady(client: Redis): void {
    if (client !== this.#client) return;
    this.#failures = 0;
    this.#state = { status: 'ready' };
    this.#notify();
  }

  #onEnd(client: Redis, cause: Error): void {
    if (client !== this.#client) return;
    this.#client = undefined;
    this.#state = { status: 'down', cause };
    const { reconnectDelayMs, maxReconnectDelayMs } = this.rules;
    const delayMs = Math.min(maxReconnectDelayMs, reconnectDelayMs * 2 ** Math.min(this.#failures++, 20));
    this.#cancelRetry = this.clock.after(delayMs, () => {
      this.#connect();
    });
    this.#notify();
  }

  #watchSilence(): void {
    if (this.#cancelWatch !== undefined) return;
    this.#lastReplyAtMs = this.clock.nowMs();
    const look = (): void => {
      this.#cancelWatch = undefined;
      if (this.#unanswered === 0) return;
      const quietMs = this.clock.nowMs() - this.#lastReplyAtMs;
      if (quietMs >= SILENCE_MS) this.#giveUp();
      else this.#cancelWatch = this.clock.after(SILENCE_MS - quietMs, look, 'background');
    };
    this.#cancelWatch = this.clock.after(SILENCE_MS, look, 'background');
  }

  /** What has not left yet must not be delivered when another connection is there already, so it is thrown away. */
  #giveUp(): void {
    const { stream } = (this.#client ?? {}) as { stream?: { resetAndDestroy?(): void } };
    this.#cause = new Error(`no answer for ${SILENCE_MS} ms`);
    stream?.resetAndDestroy?.();
    this.#client?.disconnect();
  }

  #notify(): void {
    const now = this.#state;
    const state: NodeState = typeof now === 'object' ? now : { status: 'down', cause: CLOSED };
    for (const listener of this.#listeners) listener(state);
  }
}

/**
 * What makes a lock's connection safe, whatever the user's options say: nothing is queued while there is no connection,
 * nothing is sent twice, and ioredis neither retries nor keeps a timer of its own.
 */
const SAFE_OPTIONS = {
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
} satisfies RedisOptions;
