import type { RedisOptions } from 'ioredis';
import type { Clock } from '../core/ports/clock.js';
import type { SubscriberConnection } from './connection.js';
import { ProvidedClientConnection, type ProvidedClient } from './provided-client-connection.js';
import { guardedConnector } from './guarded-connector.js';
import { ReplyReader } from './reply-reader.js';

/** A client that can be duplicated, as all clients of ioredis can. */
export interface Original {
  readonly duplicate: (...args: unknown[]) => Copy;
  readonly options?: RedisOptions;
  readonly isCluster?: boolean;
}

export function canBeCopied(client: object): client is Original {
  return 'duplicate' in client && typeof client.duplicate === 'function';
}

/** The copy has no queue, and subscribes only when this package asks it to. So it is always known which channels it is subscribed to. */
const OPTIONS = {
  lazyConnect: true,
  enableOfflineQueue: false,
  autoResubscribe: false,
  autoResendUnfulfilledCommands: false,
};

type Copy = ProvidedClient & { disconnect(): void };

/** If the copy makes its own socket, its replies are checked, so that a malformed reply ends the copy and not the process. */
function copyOf(client: Original, reader: ReplyReader, clock: Clock): Copy {
  // The first argument of a Cluster is a list of other servers. An empty list keeps the servers that it has.
  if (client.isCluster) return client.duplicate([], OPTIONS);
  const { options = {} } = client;
  if (options.sentinels || options.Connector) return client.duplicate(OPTIONS);
  return client.duplicate({
    ...OPTIONS,
    protocol: 2,
    replyMapping: undefined,
    Connector: guardedConnector(options, reader, clock),
  });
}

/** The connection of a copy of a client that the application provides. The copy belongs to this package, which closes it. */
export class ProvidedClientSubscriber extends ProvidedClientConnection implements SubscriberConnection {
  readonly #copy: Copy;
  readonly #reader: ReplyReader;

  constructor(name: string, client: Original, clock: Clock) {
    const reader = new ReplyReader();
    const copy = copyOf(client, reader, clock);
    super(name, copy, clock);
    this.#copy = copy;
    this.#reader = reader;
    copy.on('error', () => undefined); // The client of the application emits the same error.
  }

  get ended(): boolean {
    return this.#copy.status === 'end';
  }

  onMessage(listener: (channel: string, message: string) => void): void {
    this.#copy.on('message', listener);
  }

  override send(...args: Parameters<SubscriberConnection['send']>): void {
    if (args[0] === 'subscribe') this.#reader.subscribed = true;
    super.send(...args);
  }

  override close(): void {
    super.close();
    this.#copy.disconnect();
  }
}
