import type { RedisOptions } from 'ioredis';
import type { Clock } from '../core/ports/clock.js';
import type { SubscriberConnection } from './connection.js';
import { GivenConnection, type GivenClient } from './given-connection.js';
import { guardedConnector } from './guarded-connector.js';
import { ReplyCheck } from './reply-check.js';

/** A client that can be copied, as all of ioredis can. */
export interface Original {
  readonly duplicate: (...args: unknown[]) => Copy;
  readonly options?: RedisOptions;
  readonly isCluster?: boolean;
}

export function canBeCopied(client: object): client is Original {
  return 'duplicate' in client && typeof client.duplicate === 'function';
}

/** A copy has no queue, and asks for its channels when it is told to: then it is known what it hears. */
const OPTIONS = {
  lazyConnect: true,
  enableOfflineQueue: false,
  autoResubscribe: false,
  autoResendUnfulfilledCommands: false,
};

type Copy = GivenClient & { disconnect(): void };

/** Where the copy makes its own socket, what the server sends is read along, so that a malformed reply ends the copy alone. */
function copyOf(client: Original, check: ReplyCheck, clock: Clock): Copy {
  // A Cluster takes other servers as the first argument; none are those that it has.
  if (client.isCluster) return client.duplicate([], OPTIONS);
  const { options = {} } = client;
  if (options.sentinels || options.Connector) return client.duplicate(OPTIONS);
  return client.duplicate({ ...OPTIONS, protocol: 2, Connector: guardedConnector(options, check, clock) });
}

/** A copy of a client that was given. The copy is ours, and is closed. */
export class GivenSubscriber extends GivenConnection implements SubscriberConnection {
  readonly #copy: Copy;
  readonly #check: ReplyCheck;

  constructor(name: string, client: Original, clock: Clock) {
    const check = new ReplyCheck();
    const copy = copyOf(client, check, clock);
    super(name, copy, clock);
    this.#copy = copy;
    this.#check = check;
    copy.on('error', () => undefined); // The client that was given tells the same.
  }

  get ended(): boolean {
    return this.#copy.status === 'end';
  }

  onMessage(listener: (channel: string, message: string) => void): void {
    this.#copy.on('message', listener);
  }

  override async call(command: string, args: readonly (string | number)[]): Promise<unknown> {
    if (command === 'subscribe') this.#check.subscribed = true;
    return await super.call(command, args);
  }

  override close(): void {
    super.close();
    this.#copy.disconnect();
  }
}
