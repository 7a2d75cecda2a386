import type { Clock } from '../core/ports/clock.js';
import type { SubscriberConnection } from './connection.js';
import { GivenConnection, type GivenClient } from './given-connection.js';

/** A client that can be copied, as all of ioredis can. */
export interface Original {
  readonly duplicate: (...args: unknown[]) => GivenClient & { disconnect(): void };
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

/** A copy of a client that was given. The copy is ours, and is closed. */
export class GivenSubscriber extends GivenConnection implements SubscriberConnection {
  readonly #copy: GivenClient & { disconnect(): void };

  constructor(name: string, client: Original, clock: Clock) {
    // A Cluster takes other servers as the first argument; none are those that it has.
    const copy = client.isCluster ? client.duplicate([], OPTIONS) : client.duplicate(OPTIONS);
    super(name, copy, clock);
    this.#copy = copy;
    copy.on('error', () => undefined); // The client that was given tells the same.
  }

  get ended(): boolean {
    return this.#copy.status === 'end';
  }

  onMessage(listener: (channel: string, message: string) => void): void {
    this.#copy.on('message', listener);
  }

  override close(): void {
    super.close();
    this.#copy.disconnect();
  }
}
