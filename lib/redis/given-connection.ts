import type { Cluster, Redis } from 'ioredis';
import type { NodeState } from '../core/ports/lock-node.js';
import { toCallError, type Connection } from './connection.js';

/** A client that the application made. It is used as it is: neither closed, nor connected anew, nor configured. */
export type GivenClient = Pick<Redis | Cluster, 'status' | 'on' | 'off' | 'call' | 'connect'>;

/** After these events the client may be in another state. */
const EVENTS = ['ready', 'close', 'end', 'reconnecting'] as const;

export class GivenConnection implements Connection {
  readonly clustered: boolean;
  epoch = 0;
  readonly #client: GivenClient;
  readonly #listeners: (() => void)[] = [];
  readonly #onEvent = (): void => {
    if (this.#client.status === 'ready') this.epoch++;
    for (const listener of this.#listeners) listener();
  };

  constructor(
    readonly name: string,
    client: GivenClient,
  ) {
    this.#client = client;
    this.clustered = 'isCluster' in client && client.isCluster === true;
    for (const event of EVENTS) client.on(event, this.#onEvent);
  }

  reach(): NodeState {
    const { status } = this.#client;
    switch (status) {
      case 'ready':
        return { status: 'ready' };
      case 'wait':
        // A lazy client connects with its first command, and this is it.
        this.#client.connect().catch(() => undefined);
        return { status: 'connecting' };
      case 'connecting':
      case 'connect':
        return { status: 'connecting' };
      default:
        return { status: 'down', cause: new Error(`the given client is not connected (its status is "${status}")`) };
    }
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  async call(command: string, args: readonly (string | number)[]): Promise<unknown> {
    try {
      return await this.#client.call(command, ...args);
    } catch (error) {
      throw toCallError(error);
    }
  }

  close(): void {
    for (const event of EVENTS) this.#client.off(event, this.#onEvent);
  }
}
