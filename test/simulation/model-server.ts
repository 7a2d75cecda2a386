import { LOCK_SCRIPT } from '../../lib/redis/scripts/lock.script.js';
import type { Kernel } from './kernel.js';
import { OTHER_TYPE, runLockScript, type ScriptHost } from './model-script.js';

/** A wall clock, which may be wrong, and run at its own rate. */
export interface ServerClock {
  offsetMs: number;
  rate: number;
}

/**
 * Virtual instant 0 on a clock that is right, in milliseconds since 1970: a whole second, and two before a whole minute, to which servers
 * round their time of day down.
 */
export const EPOCH_MS = 1_767_225_598_000;

export interface Stored {
  value: string | typeof OTHER_TYPE;
  /** On the server's clock. */
  expiresAtMs: number;
}

/** Somebody who is told of what is published: the server's end of a connection. */
export interface Subscriber {
  deliver(channel: string, message: string): void;
}

/** What a server answers with an error. */
export class ReplyError extends Error {}

/**
 * The state of one Redis server and the few commands that locks use. The contract suite holds it to the real ones. How
 * commands get here, and when, is up to the network.
 */
export class ModelServer implements ScriptHost {
  data = new Map<string, Stored>();
  readonly #scripts = new Set<string>();
  readonly #channels = new Map<string, Set<Subscriber>>();
  #runs = 0;
  #startedAtMs = -3_600_000;
  /** The time during which a script runs does not pass for it. */
  #frozenMs: number | undefined;

  /** Called for each operation of the lock script that was carried out. */
  onOperation: (op: string, replies: readonly unknown[]) => void = () => undefined;

  /** Called for each command that arrives a second time. */
  onCopy: () => void = () => undefined;

  constructor(
    readonly number: number,
    private readonly kernel: Kernel,
    readonly clock: ServerClock = { offsetMs: 0, rate: 1 },
    readonly appendOnly = true,
  ) {}

  get runId(): string {
    return `run-${this.number}-${this.#runs}`;
  }

  get uptimeMs(): number {
    return this.kernel.nowMs() - this.#startedAtMs;
  }

  /** Whole milliseconds since 1970, as this server has it. */
  nowMs(): number {
    return this.#frozenMs ?? Math.floor(this.#wallMs());
  }

  execute(command: string, args: readonly (string | number)[]): unknown {
    switch (command) {
      case 'info':
        return this.#info();
      case 'eval':
        this.#scripts.add(LOCK_SCRIPT.sha);
        return this.#script(args.slice(1));
      case 'evalsha':
        if (!this.#scripts.has(String(args[0]))) throw new ReplyError('NOSCRIPT No matching script. Please use EVAL.');
        return this.#script(args.slice(1));
      default:
        throw new ReplyError(`ERR unknown command '${command}'`);
    }
  }

  subscribe(channel: string, subscriber: Subscriber): void {
    const subscribers = this.#channels.get(channel);
    if (subscribers === undefined) this.#channels.set(channel, new Set([subscriber]));
    else subscribers.add(subscriber);
  }

  unsubscribe(subscriber: Subscriber, channel?: string): void {
    for (const [name, subscribers] of this.#channels) {
      if (channel === undefined || name === channel) subscribers.delete(subscriber);
    }
  }

  /** A new start: scripts and subscribers are gone, and the data are what they are told to be. */
  restart(data: Map<string, Stored>): void {
    this.data = data;
    this.#scripts.clear();
    this.#channels.clear();
    this.#runs++;
    this.#startedAtMs = this.kernel.nowMs();
  }

  flushScripts(): void {
    this.#scripts.clear();
  }

  loadScript(): void {
    this.#scripts.add(LOCK_SCRIPT.sha);
  }

  /** All that is there, not expired. */
  entries(): [string, Stored][] {
    return [...this.data].filter(([key]) => this.#live(key) !== undefined);
  }

  get(key: string): string | typeof OTHER_TYPE | undefined {
    return this.#live(key)?.value;
  }

  pttl(key: string): number {
    const { expiresAtMs = 0 } = this.#live(key) ?? {};
    return expiresAtMs === Infinity ? -1 : expiresAtMs - this.nowMs();
  }

  set(key: string, value: string, ttlMs: number): void {
    this.data.set(key, { value, expiresAtMs: this.nowMs() + ttlMs });
  }

  replace(key: string, value: string): void {
    const entry = this.#live(key);
    if (entry !== undefined) entry.value = value;
  }

  expire(key: string, ttlMs: number): void {
    const entry = this.#live(key);
    if (entry !== undefined) entry.expiresAtMs = this.nowMs() + ttlMs;
  }

  del(key: string): number {
    const had = this.#live(key) !== undefined;
    this.data.delete(key);
    return had ? 1 : 0;
  }

  subscribers(channel: string): number {
    return this.#channels.get(channel)?.size ?? 0;
  }

  publish(channel: string, message: string): number {
    for (const subscriber of this.#channels.get(channel) ?? []) subscriber.deliver(channel, message);
    return this.subscribers(channel);
  }

  timeUs(): number {
    return Math.floor(this.#wallMs() * 1000);
  }

  #wallMs(): number {
    return EPOCH_MS + this.clock.offsetMs + this.clock.rate * this.kernel.nowMs();
  }

  /** Redis keeps a key up to and including the millisecond of its expiry. */
  #live(key: string): Stored | undefined {
    const entry = this.data.get(key);
    return entry !== undefined && this.nowMs() <= entry.expiresAtMs ? entry : undefined;
  }

  #script(args: readonly (string | number)[]): unknown {
    this.#frozenMs = this.nowMs();
    const replies = runLockScript(this, args);
    this.#frozenMs = undefined;
    this.onOperation(String(args[Number(args[0]) + 3]).charAt(0), replies);
    return replies;
  }

  #info(): string {
    return [
      'redis_version:7.0.15',
      `run_id:${this.runId}`,
      // Redis takes the difference of two whole seconds, which may be up to a second too much.
      `uptime_in_seconds:${Math.ceil(this.uptimeMs / 1000)}`,
      'role:master',
      'redis_mode:standalone',
      'maxmemory:0',
      'maxmemory_policy:noeviction',
      `aof_enabled:${this.appendOnly ? 1 : 0}`,
    ].join('\r\n');
  }
}
