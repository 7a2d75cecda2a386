import { Redis, type RedisOptions } from 'ioredis';
import type { Cancel, Clock } from '../core/ports/clock.js';
import type { NodeState } from '../core/ports/lock-node.js';
import { CLOSED, Secrets, SilenceError, spaceOf, type SubscriberConnection } from './connection.js';
import { guardedConnector } from './guarded-connector.js';
import { ReplyCheck } from './reply-check.js';
import { Silence } from './silence.js';

/** Milliseconds, between two tries to connect. */
export interface ReconnectRules {
  readonly reconnectDelayMs: number;
  readonly maxReconnectDelayMs: number;
}

/** A server that accepts a connection but does not get ready within this time is tried anew. */
const READY_TIMEOUT_MS = 10_000;

/** The kernel asks after this much silence whether the other end is still there. */
const KEEP_ALIVE_MS = 10_000;

/** One connection of several, and what is known of it. */
interface Session {
  readonly client: Redis;
  readonly check: ReplyCheck;
  readonly startedAtMs: number;
  /** Whether a command was answered, and not with an error. */
  works: boolean;
  /** Why it is given up, where we have ended it. */
  verdict: Error | undefined;
  /** The last trouble that the client had with it. */
  trouble: string | undefined;
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

  #session: Session | undefined;
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
      this.#giveUp(forMs);
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
    if (command === 'subscribe') session.check.subscribed = true;
    try {
      const reply = await this.#silence.watch(session.client.call(command, ...args));
      session.works = true;
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
    this.#session?.client.disconnect();
    this.#session = undefined;
    this.#notify();
  }

  #connect(): void {
    this.#cancelRetry();
    this.#lastTryAtMs = this.clock.nowMs();
    this.#state = { status: 'connecting' };
    const session = this.#open();
    const { client } = session;
    this.#session = session;
    this.epoch++;
    const cancelReadyTimeout = this.clock.after(READY_TIMEOUT_MS, () => {
      this.#end(session, new SilenceError(`not ready within ${READY_TIMEOUT_MS} ms`));
    });
    client.on('error', (error: Error) => {
      session.trouble = this.#secrets.messageOf(error);
      // The client would go on with replies that belong to no command, or that belong to another one.
      if (client.status === 'ready') this.#end(session, new Error(whyOf(session.trouble)));
    });
    client.on('ready', () => {
      cancelReadyTimeout();
      if (session !== this.#session) return;
      this.#state = { status: 'ready' };
      this.#notify();
    });
    client.on('message', (channel: string, message: string) => {
      for (const listener of this.#onMessage) listener(channel, message);
    });
    client.on('end', () => {
      cancelReadyTimeout();
      this.#onEnd(session);
    });
    client.connect().catch(() => undefined); // The events tell the same, and more.
  }

  #open(): Session {
    const target = this.target();
    const check = new ReplyCheck();
    const options = {
      keepAlive: KEEP_ALIVE_MS,
      // The master of Sentinels is told by it. All others are inspected anyway, and may say then that they are loading.
      enableReadyCheck: target.sentinels !== undefined,
      ...target,
      ...SAFE_OPTIONS,
    };
    const client = new Redis({ ...options, Connector: guardedConnector(options, check, this.clock) });
    const startedAtMs = this.clock.nowMs();
    return { client, check, startedAtMs, works: false, verdict: undefined, trouble: undefined };
  }

  /** What has not left yet must not be delivered when another connection is there already, so it is thrown away. */
  #giveUp(forMs: number): void {
    const session = this.#session;
    if (session === undefined) return;
    const { stream } = session.client as { stream?: { resetAndDestroy?(): void } };
    session.verdict = new SilenceError(`no answer for ${forMs} ms`);
    stream?.resetAndDestroy?.();
    session.client.disconnect();
  }

  #end(session: Session, verdict: Error): void {
    session.verdict ??= verdict;
    session.client.disconnect();
  }

  #onEnd(session: Session): void {
    if (session !== this.#session) return;
    this.#session = undefined;
    this.#silence.stop();
    const livedMs = this.clock.nowMs() - session.startedAtMs;
    const { reconnectDelayMs, maxReconnectDelayMs } = this.rules;
    const wasMalformed = session.trouble?.startsWith('its reply') === true;
    if (session.works && session.verdict === undefined && !wasMalformed && livedMs >= reconnectDelayMs) {
      this.#connect();
      this.#notify();
      return;
    }
    this.#state = { status: 'down', cause: causeOf(session, this.#secrets, this.target().tls !== undefined) };
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

/** Why a connection is over. What the server has said last counts for more than what the socket makes of it. */
function causeOf({ verdict, check, trouble }: Session, secrets: Secrets, isTls: boolean): Error {
  if (verdict !== undefined) return verdict;
  if (check.lastError !== undefined) return new Error(secrets.messageOf(new Error(check.lastError)));
  if (trouble !== undefined && !/ (EPIPE|ECONNRESET)\b/.test(trouble)) return new Error(whyOf(trouble));
  if (check.heard) return new Error(trouble ?? 'the connection was closed');
  const hint = isTls ? '' : '; a port that speaks TLS does so: it needs a rediss:// URL, or the option tls';
  return new Error(`${trouble ?? 'the connection was closed'}, before the server had said anything${hint}`);
}

/** In words that mean something to a user. */
function whyOf(trouble: string): string {
  if (trouble.startsWith('Command queue state error')) return 'it has sent a reply to nothing that it was asked';
  if (/wrong version number|packet length too long/.test(trouble)) {
    return `${trouble}: the server may speak no TLS on this port (a redis:// URL, or no option tls, then)`;
  }
  return trouble;
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
