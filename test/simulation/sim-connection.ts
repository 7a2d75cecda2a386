import type { Cancel, Clock } from '../../lib/core/ports/clock.js';
import type { NodeState } from '../../lib/core/ports/lock-node.js';
import { CLOSED, ServerError, type SubscriberConnection } from '../../lib/redis/connection.js';
import { ReplyError } from './model-server.js';
import { Session, type Link } from './network.js';

interface Rules {
  readonly reconnectDelayMs: number;
  readonly maxReconnectDelayMs: number;
}

const READY_TIMEOUT_MS = 10_000;

/** What `OwnConnection` is in production, over a network that is simulated: the same states, the same tries. */
export class SimConnection implements SubscriberConnection {
  readonly clustered = false;
  readonly ended = false;
  readonly warnings = [];
  readonly database = 0;
  readonly keyspace = '@0';
  readonly name: string;
  epoch = 0;

  #session: Session | undefined;
  #state: NodeState | 'idle' | 'closed' = 'idle';
  #failures = 0;
  #lastTryAtMs = -Infinity;
  #cancelRetry: Cancel = () => undefined;
  #pending = new Set<(cause: Error) => void>();
  readonly #listeners: ((state: NodeState) => void)[] = [];
  readonly #onMessage: ((channel: string, message: string) => void)[] = [];

  constructor(
    private readonly link: Link,
    private readonly rules: Rules,
    private readonly clock: Clock,
  ) {
    this.name = `server-${link.server.model.number}`;
  }

  ensureConnected(): NodeState {
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

  /** Nobody reads a log here. */
  onSilence(): void {
    return undefined;
  }

  onMessage(listener: (channel: string, message: string) => void): void {
    this.#onMessage.push(listener);
  }

  send(...[command, args, onReply, onError]: Parameters<SubscriberConnection['send']>): void {
    const session = this.#session;
    if (session === undefined) {
      this.clock.atEndOfTurn(() => onError(new Error('not connected')));
      return;
    }
    this.#pending.add(onError);
    session.ask(command, args, (reply) => {
      this.#pending.delete(onError);
      if (reply instanceof ReplyError) onError(new ServerError(reply.message));
      else onReply(reply);
    });
  }

  close(): void {
    this.#state = 'closed';
    this.#cancelRetry();
    this.giveUp(new Error('closed'), false);
  }

  /** The connection ends from this side, by whatever fault. What was sent may still arrive, unless it is lost. */
  giveUp(cause: Error, isLost: boolean): void {
    if (this.#session === undefined) return;
    this.#session.abandon(isLost);
    this.#onEnd(this.#session, cause);
  }

  /** The process is no more: nobody here hears of it. */
  drop(isLost: boolean): void {
    this.#session?.abandon(isLost);
    this.#session = undefined;
    this.#state = 'closed';
  }

  #connect(): void {
    this.#cancelRetry();
    this.#lastTryAtMs = this.clock.nowMs();
    this.#state = { status: 'connecting' };
    this.epoch++;
    const cancelReadyTimeout = this.clock.after(READY_TIMEOUT_MS, () => {
      if (session === this.#session) this.giveUp(new Error('not ready in time'), true);
    });
    const session = new Session(
      this.link,
      (cause) => {
        cancelReadyTimeout();
        this.#onEnd(session, cause);
      },
      (channel, message) => {
        for (const listener of this.#onMessage) listener(channel, message);
      },
    );
    this.#session = session;
    session.open(() => {
      cancelReadyTimeout();
      if (session !== this.#session) return;
      this.#failures = 0;
      this.#state = { status: 'ready' };
      this.#notify();
    });
  }

  #onEnd(session: Session, cause: Error): void {
    if (session !== this.#session) return;
    this.#session = undefined;
    const pending = this.#pending;
    this.#pending = new Set();
    if (this.#state !== 'closed') {
      this.#state = { status: 'down', cause };
      const { reconnectDelayMs, maxReconnectDelayMs } = this.rules;
      const delayMs = Math.min(maxReconnectDelayMs, reconnectDelayMs * 2 ** Math.min(this.#failures++, 20));
      this.#cancelRetry = this.clock.after(delayMs, () => {
        this.#connect();
      });
    }
    // Whoever listens knows of it before whoever has asked.
    this.#notify();
    for (const onError of pending) onError(cause);
  }

  #notify(): void {
    const now = this.#state;
    const state: NodeState = typeof now === 'object' ? now : { status: 'down', cause: CLOSED };
    for (const listener of this.#listeners) listener(state);
  }
}
