import type { Cancel } from '../core/ports/clock.js';
import type { ReleaseListener } from '../core/ports/lock-node.js';
import type { SubscriberConnection } from './connection.js';

interface Channel {
  readonly listeners: Set<ReleaseListener>;
  /** The connection on which it was asked for, and whether the server has confirmed it. */
  epoch: number;
  hears: boolean;
}

/**
 * Hears what one server tells of releases, on a connection of its own (one that is subscribed takes no other commands), made
 * when somebody listens for the first time. A server that does not let us subscribe is never heard, and that is known.
 */
export class Receiver {
  #connection: SubscriberConnection | undefined;
  readonly #channels = new Map<string, Channel>();
  #closed = false;

  constructor(private readonly open: () => SubscriberConnection | undefined) {}

  listen(name: string, listener: ReleaseListener): Cancel {
    const channel = this.#channels.get(name) ?? { listeners: new Set(), epoch: -1, hears: false };
    this.#channels.set(name, channel);
    channel.listeners.add(listener);
    this.#replaceEnded();
    if (channel.hears) listener.onHearing(true);
    else this.#subscribe();
    return () => {
      if (!channel.listeners.delete(listener) || channel.listeners.size > 0) return;
      this.#channels.delete(name);
      if (channel.hears) this.#connection?.call('unsubscribe', [name]).catch(() => undefined);
    };
  }

  /** A copy of a given client gives up when that client would. Who listens again gets a new one. */
  #replaceEnded(): void {
    if (this.#connection?.ended !== true) return;
    this.#connection.close();
    this.#connection = undefined;
    for (const channel of this.#channels.values()) {
      channel.epoch = -1;
      setHearing(channel, false);
    }
  }

  close(): void {
    this.#closed = true;
    this.#connection?.close();
  }

  /** Nobody is heard where there is nothing to listen with; waiters ask from time to time then. */
  #connect(): SubscriberConnection | undefined {
    if (this.#closed) return undefined;
    try {
      const connection = this.open();
      connection?.onChange(() => {
        this.#subscribe();
      });
      connection?.onMessage((name, message) => {
        for (const listener of this.#channels.get(name)?.listeners ?? []) listener.onReleased(Number(message));
      });
      return connection;
    } catch {
      return undefined; // A given client that cannot be copied.
    }
  }

  /** Asks for what is not asked for on this connection yet. Without a connection nothing is heard. */
  #subscribe(): void {
    this.#connection ??= this.#connect();
    const connection = this.#connection;
    if (connection === undefined) return;
    const ready = connection.reach().status === 'ready';
    for (const [name, channel] of this.#channels) {
      if (!ready) setHearing(channel, false);
      else if (channel.epoch !== connection.epoch) void this.#ask(connection, name, channel);
    }
  }

  async #ask(connection: SubscriberConnection, name: string, channel: Channel): Promise<void> {
    const { epoch } = connection;
    channel.epoch = epoch;
    setHearing(channel, false);
    const hears = await connection.call('subscribe', [name]).then(
      () => true,
      () => false, // Not allowed, or the connection broke: then its next one asks again.
    );
    if (epoch !== connection.epoch) return;
    if (this.#channels.get(name) === channel) setHearing(channel, hears);
    else if (hears && !this.#channels.has(name)) connection.call('unsubscribe', [name]).catch(() => undefined);
  }
}

function setHearing(channel: Channel, hears: boolean): void {
  if (channel.hears === hears) return;
  channel.hears = hears;
  for (const listener of channel.listeners) listener.onHearing(hears);
}
