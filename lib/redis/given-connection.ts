import type { Cluster, Redis, RedisOptions } from 'ioredis';
import type { Clock } from '../core/ports/clock.js';
import type { NodeState } from '../core/ports/lock-node.js';
import { Secrets, spaceOf, type Connection } from './connection.js';
import { OpenCalls } from './open-calls.js';
import type { ServerWarning } from './server-status.js';
import { Silence } from './silence.js';

/** A client that the application made. It is used as it is: neither closed, nor connected anew, nor configured. */
export type GivenClient = Pick<Redis | Cluster, 'status' | 'on' | 'off' | 'call' | 'connect'>;

/** After these events the client may be in another state. */
const EVENTS = ['ready', 'close', 'end', 'reconnecting'] as const;

/**
 * A client that was given, whatever its options say of queues and of sending again: a command leaves only while the client
 * is connected, is over when that connection breaks, and is never carried out after that (see {@link OpenCalls}).
 */
export class GivenConnection implements Connection {
  readonly clustered: boolean;
  readonly space: string;
  readonly warnings: readonly ServerWarning[];
  epoch = 0;
  readonly #client: GivenClient;
  readonly #calls = new OpenCalls();
  readonly #secrets: Secrets;
  readonly #silence: Silence;
  readonly #onSilence: ((forMs: number | undefined) => void)[] = [];
  readonly #listeners: ((state: NodeState) => void)[] = [];
  /** The client changes its status before it tells: what is new of a connection must be known before anything is sent. */
  #ready: boolean;
  /** Why it is not connected, in its own words. */
  #trouble: string | undefined;
  readonly #onError = (error: Error): void => {
    this.#trouble = this.#secrets.messageOf(error);
  };
  readonly #onEvent = (): void => {
    this.#ready = this.#client.status === 'ready';
    if (this.#ready) {
      this.epoch++;
      this.#trouble = undefined;
    } else this.#giveUp();
    const state = this.reach();
    for (const listener of this.#listeners) listener(state);
  };

  constructor(
    readonly name: string,
    client: GivenClient,
    clock: Clock,
  ) {
    this.#client = client;
    this.#ready = client.status === 'ready';
    this.clustered = 'isCluster' in client && client.isCluster === true;
    const options = optionsOf(client);
    this.space = spaceOf(options);
    this.#secrets = new Secrets(options, options.redisOptions ?? {});
    this.warnings = warningsOn(options);
    this.#silence = new Silence(clock, (forMs) => {
      for (const listener of this.#onSilence) listener(forMs);
    });
    for (const event of EVENTS) client.on(event, this.#onEvent);
    client.on('error', this.#onError);
  }

  /**
   * That of its options. A client goes on in database 0 where its database is refused; one whose owner has selected another
   * one meanwhile is left there.
   */
  get database(): number {
    const { db = 0 } = optionsOf(this.#client);
    const { select = db } = (this.#client as { condition?: { select?: number } }).condition ?? {};
    return this.clustered || select !== db ? 0 : db;
  }

  reach(): NodeState {
    const { status } = this.#client;
    switch (status) {
      case 'ready':
        return { status: this.#ready ? 'ready' : 'connecting' };
      case 'wait':
        // A lazy client connects with its first command, and this is it.
        this.#client.connect().catch(() => undefined);
        return { status: 'connecting' };
      case 'connecting':
      case 'connect':
        return { status: 'connecting' };
      case 'end':
        return this.#down('the given client is closed, and only its owner can connect it again');
      case 'close':
      case 'reconnecting':
        // Many servers close connections that are idle. As long as nothing goes wrong, the client is about to be back.
        if (this.#trouble === undefined) return { status: 'connecting' };
        return this.#down(`the given client is not connected (its status is "${status}")`);
      default:
        return this.#down(`the given client is not connected (its status is "${status}")`);
    }
  }

  #down(what: string): NodeState {
    return { status: 'down', cause: new Error(this.#trouble === undefined ? what : `${what}: ${this.#trouble}`) };
  }

  onChange(listener: (state: NodeState) => void): void {
    this.#listeners.push(listener);
  }

  onSilence(listener: (forMs: number | undefined) => void): void {
    this.#onSilence.push(listener);
  }

  async call(command: string, args: readonly (string | number)[]): Promise<unknown> {
    // A Cluster may keep a command for another node, and overtake it with the next one for the same key.
    if (this.clustered) this.#calls.retract(args[2]);
    try {
      const call = this.#calls.run((given) => this.#client.call(command, ...given), command, args);
      return this.#secrets.cutAll(await this.#silence.watch(call));
    } catch (error) {
      throw this.#secrets.toCallError(error);
    }
  }

  close(): void {
    for (const event of EVENTS) this.#client.off(event, this.#onEvent);
    this.#client.off('error', this.#onError);
    this.#giveUp();
  }

  #giveUp(): void {
    this.#silence.stop();
    this.#calls.giveUpAll(new Error('the connection was closed'));
  }
}

/** The options, and the value that each should have, by which ioredis sends a command at a time when nobody waits for it. */
const SAFE = { autoResendUnfulfilledCommands: false, enableOfflineQueue: false, commandTimeout: undefined } as const;

interface GivenOptions extends RedisOptions {
  /** Those of the nodes of a Cluster. */
  readonly redisOptions?: RedisOptions;
}

function optionsOf(client: GivenClient): GivenOptions {
  return 'options' in client ? (client.options as GivenOptions) : {};
}

function warningsOn(options: GivenOptions): ServerWarning[] {
  const unsafe = Object.entries(SAFE).flatMap(([name, safe]) =>
    options[name as keyof typeof SAFE] === safe
      ? []
      : [safe === undefined ? `leave out ${name}` : `set ${name} to ${String(safe)}`],
  );
  if (unsafe.length === 0) return [];
  const message =
    `may be sent a command again, or late, by the client that was given for it: ${unsafe.join(', ')} ` +
    '(for the commands of locks this is made harmless; for those of your own it cannot be)';
  return [{ code: 'client-resends', message }];
}
