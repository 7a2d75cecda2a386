import type { RedisOptions } from 'ioredis';
import type { Cancel, Clock } from '../core/ports/clock.js';
import type { NodeState } from '../core/ports/lock-node.js';
import {
  CLOSED,
  CONNECTING,
  READY,
  Secrets,
  SilenceError,
  keyspaceOf,
  type SubscriberConnection,
} from './connection.js';
import { OwnSession } from './own-session.js';
import { Silence } from './silence.js';

/** The time between two tries to connect, in milliseconds. */
export interface ReconnectRules {
  readonly reconnectDelayMs: number;
  readonly maxReconnectDelayMs: number;
}

/**
 * A connection that this package makes. When it breaks, it is made again with a new ioredis client, so that no queue survives from
 * which ioredis could send a command again that has failed already (ioredis issue 2130). ioredis itself never retries.
 *
 * A connection that has worked is replaced immediately when it breaks, because many servers close idle connections. Only if
 * the new one fails, the server is down. Then it is tried again after longer and longer times, and also when a caller wants a lock
 * and the last try is at least the shortest of these times ago.
 */
export class OwnConnection implements SubscriberConnection {
  readonly clustered = false;
  readonly ended = false;
  readonly warnings = [];
  readonly database: number;
  readonly keyspace: string;
  epoch = 0;

  #session: OwnSession | undefined;
  #state: NodeState | 'idle' | 'closed' = 'idle';
  #failures = 0;
  #lastTryAtMs = -Infinity;
  #cancelRetry: Cancel = () => undefined;
  readonly #secrets: Secrets;
  readonly #silence: Silence;
  readonly #listeners: ((state: NodeState) => void)[] = [];
  readonly #onSilence: ((forMs: number | undefined) => void)[] = [];
  readonly #onMessage: ((channel: string, message: string) => void)[] = [];

  constructor(
    readonly name: string,
    /** A function, so that printing this object does not print a password. */
    private readonly target: () => RedisOptions,
    private readonly rules: ReconnectRules,
    private readonly clock: Clock,
    /** Uniform in [0, 1). Replicas that lose a server at the same time must not reconnect at the same time. */
    private readonly random: () => number,
  ) {
    const options = target();
    this.database = options.db ?? 0;
    this.keyspace = keyspaceOf(options);
    this.#secrets = new Secrets(options);
    const tell = (forMs: number | undefined): void => {
      for (const listener of this.#onSilence) listener(forMs);
    };
    this.#silence = new Silence(clock, tell, (forMs) => {
      this.#session?.reset(new SilenceError(`no answer for ${forMs} ms`));
    });
  }

  ensureConnected(): NodeState {
    const state = this.#state;
    if (state === 'closed') return { status: 'down', cause: CLOSED };
    if (state !== 'idle' && !(state.status === 'down' && this.#mayTry())) return state;
    this.#connect();
    return CONNECTING;
  }

  #mayTry(): boolean {
    return this.clock.nowMs() - this.#lastTryAtMs >= this.rules.reconnectDelayMs;
  }

  onChange(listener: (state: NodeState) => void): void {
    this.#listeners.push(listener);
  }

  onSilence(listener: (forMs: number | undefined) => void): void {
    this.#onSilence.push(listener);
  }

  onMessage(listener: (channel: string, message: string) => void): void {
    this.#onMessage.push(listener);
  }

  send(
    command: string,
    args: readonly (string | number)[],
    onReply: (reply: unknown) => void,
    onError: (cause: Error) => void,
  ): void {
    const session = this.#session;
    if (session === undefined) {
      const state = this.#state;
      const cause = typeof state === 'object' && state.status === 'down' ? state.cause : new Error('not connected');
      this.clock.atEndOfTurn(() => {
        onError(cause);
      });
      return;
    }
    this.#silence.onSent();
    session.send(
      command,
      args,
      (reply) => {
        this.#silence.onReply();
        if (session === this.#session) this.#failures = 0;
        onReply(this.#secrets.cutReply(command, reply));
      },
      (cause) => {
        this.#silence.onReply();
        onError(this.#secrets.toCallError(cause));
      },
    );
  }

  close(): void {
    this.#state = 'closed';
    this.#cancelRetry();
    this.#silence.stop();
    this.#session?.disconnect();
    this.#session = undefined;
    this.#notify();
  }

  #connect(): void {
    this.#cancelRetry();
    this.#lastTryAtMs = this.clock.nowMs();
    this.#state = CONNECTING;
    this.epoch++;
    const session = new OwnSession(this.target(), this.#secrets, this.clock, {
      onReady: () => {
        if (session !== this.#session) return;
        this.#state = READY;
        this.#notify();
      },
      onMessage: (channel, message) => {
        for (const listener of this.#onMessage) listener(channel, message);
      },
      onEnd: () => {
        this.#onEnd(session);
      },
    });
    this.#session = session;
  }

  #onEnd(session: OwnSession): void {
    if (session !== this.#session) return;
    this.#session = undefined;
    this.#silence.stop();
    const { reconnectDelayMs, maxReconnectDelayMs } = this.rules;
    if (session.hasWorkedFor(reconnectDelayMs)) {
      this.#connect();
      this.#notify();
      return;
    }
    this.#state = { status: 'down', cause: session.cause };
    const mostMs = Math.min(maxReconnectDelayMs, reconnectDelayMs * 2 ** (1 + Math.min(this.#failures++, 20)));
    const delayMs = reconnectDelayMs + this.random() * (mostMs - reconnectDelayMs);
    this.#cancelRetry = this.clock.after(delayMs, () => {
      this.#connect();
    });
    this.#notify();
  }

  #notify(): void {
    const now = this.#state;
    const state: NodeState = typeof now === 'object' ? now : { status: 'down', cause: CLOSED };
    for (const listener of this.#listeners) listener(state);
  }
}
