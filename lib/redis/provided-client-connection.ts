import type { Cluster, Redis, RedisOptions } from 'ioredis';
import type { Clock } from '../core/ports/clock.js';
import type { NodeState } from '../core/ports/lock-node.js';
import { CLOSED, CONNECTING, READY, Secrets, keyspaceOf, type Connection } from './connection.js';
import { InFlightCommands } from './in-flight-commands.js';
import type { ServerWarning } from './server-status.js';
import { Silence } from './silence.js';

/** A client of the application. This package neither closes, nor reconnects, nor configures it. */
export type ProvidedClient = Pick<Redis | Cluster, 'status' | 'on' | 'off' | 'call' | 'connect'>;

/** After these events the client may be in another state. */
const EVENTS = ['ready', 'close', 'end', 'reconnecting'] as const;

/**
 * The connection of a client that the application provides. Whatever the options of the client say about queues and about sending
 * again: a command is sent only while the client is connected, it fails when that connection breaks, and no server carries it out
 * after that (see {@link InFlightCommands}).
 */
export class ProvidedClientConnection implements Connection {
  readonly clustered: boolean;
  readonly keyspace: string;
  readonly warnings: readonly ServerWarning[];
  epoch = 0;
  readonly #client: ProvidedClient;
  readonly #commands = new InFlightCommands();
  readonly #secrets: Secrets;
  readonly #silence: Silence;
  readonly #onSilence: ((forMs: number | undefined) => void)[] = [];
  readonly #listeners: ((state: NodeState) => void)[] = [];
  /** Set by the client's event, which comes after its change of status. No command is sent before the new epoch is known. */
  #ready: boolean;
  #closed = false;
  /** The last error of the client since it was connected. */
  #trouble: string | undefined;
  readonly #onError = (error: Error): void => {
    this.#trouble = this.#secrets.messageOf(error);
  };
  readonly #onEvent = (): void => {
    this.#ready = this.#client.status === 'ready';
    if (this.#ready) {
      this.epoch++;
      this.#trouble = undefined;
    }
    const isReady = this.#ready;
    this.#notify();
    if (!isReady) this.#giveUp();
  };

  constructor(
    readonly name: string,
    client: ProvidedClient,
    clock: Clock,
  ) {
    this.#client = client;
    this.#ready = client.status === 'ready';
    this.clustered = 'isCluster' in client && client.isCluster === true;
    const options = optionsOf(client);
    this.keyspace = keyspaceOf(options);
    this.#secrets = new Secrets(options, options.redisOptions ?? {});
    this.warnings = warningsOn(options);
    this.#silence = new Silence(clock, (forMs) => {
      for (const listener of this.#onSilence) listener(forMs);
    });
    for (const event of EVENTS) client.on(event, this.#onEvent);
    client.on('error', this.#onError);
  }

  /**
   * The database of the client's options. A client continues in database 0 if the server refuses its database, so the database is
   * selected again. If the application has selected a different database meanwhile, the client stays there.
   */
  get database(): number {
    const { db = 0 } = optionsOf(this.#client);
    const { select = db } = (this.#client as { condition?: { select?: number } }).condition ?? {};
    return this.clustered || select !== db ? 0 : db;
  }

  ensureConnected(): NodeState {
    if (this.#closed) return { status: 'down', cause: CLOSED };
    const { status } = this.#client;
    switch (status) {
      case 'ready':
        return this.#ready ? READY : CONNECTING;
      case 'wait':
        // A lazy client connects with its first command. Locks need it now.
        this.#client.connect().catch(() => undefined);
        return CONNECTING;
      case 'connecting':
      case 'connect':
        return CONNECTING;
      case 'end':
        return this.#down('the given client is closed, and only its owner can connect it again');
      case 'close':
      case 'reconnecting':
        // Many servers close idle connections. Without an error the client will be connected again soon.
        if (this.#trouble === undefined) return CONNECTING;
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

  send(
    command: string,
    args: readonly (string | number)[],
    onReply: (reply: unknown) => void,
    onError: (cause: Error) => void,
  ): void {
    // A Cluster may hold a command back until it knows the node, and send the next command for the same key first.
    if (this.clustered) this.#commands.neutralize(args[2]);
    this.#silence.onSent();
    this.#commands.run(
      (given) => this.#client.call(command, ...given),
      [command, ...args],
      (reply) => {
        this.#silence.onReply();
        onReply(this.#secrets.cutReply(command, reply));
      },
      (cause) => {
        this.#silence.onReply();
        onError(this.#secrets.toCallError(cause));
      },
    );
  }

  /** The client goes on for its owner. From now on it sends nothing for this package, which says nothing more of its server. */
  close(): void {
    for (const event of EVENTS) this.#client.off(event, this.#onEvent);
    this.#client.off('error', this.#onError);
    this.#closed = true;
    this.#notify();
    this.#giveUp();
  }

  #notify(): void {
    const state = this.ensureConnected();
    for (const listener of this.#listeners) listener(state);
  }

  #giveUp(): void {
    this.#silence.stop();
    this.#commands.failAll(new Error('the connection was closed'));
  }
}

/** Options with which ioredis may send a command after the call has failed, and the value with which it does not. */
const SAFE = { autoResendUnfulfilledCommands: false, enableOfflineQueue: false, commandTimeout: undefined } as const;

interface ProvidedClientOptions extends RedisOptions {
  /** The options of the nodes of a Cluster. */
  readonly redisOptions?: RedisOptions;
}

function optionsOf(client: ProvidedClient): ProvidedClientOptions {
  return 'options' in client ? (client.options as ProvidedClientOptions) : {};
}

function warningsOn(options: ProvidedClientOptions): ServerWarning[] {
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
