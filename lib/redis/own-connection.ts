import type { RedisOptions } from 'ioredis';
import type { Cancel, Clock } from '../core/ports/clock.js';
import type { NodeState } from '../core/ports/lock-node.js';
import { CLOSED, Secrets, SilenceError, spaceOf, type SubscriberConnection } from './connection.js';
import { OwnSession } from './own-session.js';
import { Silence } from './silence.js';

/** Milliseconds, between two tries to connect. */
export interface ReconnectRules {
  readonly reconnectDelayMs: number;
  readonly maxReconnectDelayMs: number;
}

/**
 * A connection that we make, and make again when it breaks, with a fresh client each time: so no queue survives from
 * which ioredis could send a command again that has long been given up (ioredis issue 2130). All retrying is ours.
 *
 * A connection that has worked is replaced at once when it breaks: many servers close those that are idle. Only if that
 * fails the server is down. It is tried again then at growing distances, and at once when a lock is wanted and the last try
 * is at least the shortest distance ago.
 */
export class OwnConnection implements SubscriberConnection {
  readonly clustered = false;
  readonly ended = false;
  readonly warnings = [];
  readonly database: number;
  readonly space: string;
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
    /** A function, so that a password is not printed with what holds it. */
    private readonly target: () => RedisOptions,
    private readonly rules: ReconnectRules,
    private readonly clock: Clock,
    /** Uniform in [0, 1): replicas that lose a server together must not come back to it together. */
    private readonly random: () => number,
  ) {
    const options = target();
    this.database = options.db ?? 0;
    this.space = spaceOf(options);
    this.#secrets = new Secrets(options);
    const tell = (forMs: number | undefined): void => {
      for (const listener of this.#onSilence) listener(forMs);
    };
    this.#silence = new Silence(clock, tell, (forMs) => {
      this.#session?.reset(new SilenceError(`no answer for ${forMs} ms`));
    });
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

  onSilence(listener: (forMs: number | undefined) => void): void {
    this.#onSilence.push(listener);
  }

  onMessage(listener: (channel: string, message: string) => void): void {
    this.#onMessage.push(listener);
  }

  async call(command: string, args: readonly (string | number)[]): Promise<unknown> {
    const session = this.#session;
    if (session === undefined) throw new Error('not connected');
    try {
      const reply = await this.#silence.watch(session.call(command, args));
      if (session === this.#session) this.#failures = 0;
      return this.#secrets.cutAll(reply);
    } catch (error) {
      throw this.#secrets.toCallError(error);
    }
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
    this.#state = { status: 'connecting' };
    this.epoch++;
    const session = new OwnSession(this.target(), this.#secrets, this.clock, {
      onReady: () => {
        if (session !== this.#session) return;
        this.#state = { status: 'ready' };
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
