import type { Cancel } from '../core/ports/clock.js';
import type { ReleaseListener } from '../core/ports/lock-node.js';
import type { SubscriberConnection } from './connection.js';

interface Channel {
  readonly listeners: Set<ReleaseListener>;
  /** The connection on which it was subscribed to, and whether the server has confirmed that. */
  epoch: number;
  hears: boolean;
}

/**
 * Receives the release messages of one server. It has a connection of its own, because a subscribed connection takes no other
 * commands, and makes it for the first listener. If the server refuses to subscribe, the listeners know that they hear nothing.
 */
export class ReleaseSubscriber {
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
    else if (this.#connection === undefined) this.#subscribeToAll();
    else this.#subscribe(this.#connection, name, channel);
    return () => {
      if (!channel.listeners.delete(listener) || channel.listeners.size > 0) return;
      this.#channels.delete(name);
      if (channel.hears && this.#connection !== undefined) unsubscribe(this.#connection, name);
    };
  }

  /** A copy of the application's client ends when that client would. The next listener gets a new copy. */
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

  /** Without a connection no message is received. Waiters then ask the servers from time to time. */
  #connect(): SubscriberConnection | undefined {
    if (this.#closed) return undefined;
    try {
      const connection = this.open();
      connection?.onChange(() => {
        this.#subscribeToAll();
      });
      connection?.onMessage((name, message) => {
        for (const listener of this.#channels.get(name)?.listeners ?? []) listener.onReleased(countIn(message));
      });
      return connection;
    } catch {
      return undefined; // A client of the application that cannot be duplicated.
    }
  }

  #subscribeToAll(): void {
    this.#connection ??= this.#connect();
    const connection = this.#connection;
    if (connection === undefined) return;
    for (const [name, channel] of this.#channels) this.#subscribe(connection, name, channel);
  }

  /** Subscribes where that is new to this connection. While it is not ready, the channel hears nothing. */
  #subscribe(connection: SubscriberConnection, name: string, channel: Channel): void {
    const isReady = connection.ensureConnected().status === 'ready';
    const { epoch } = connection;
    if (isReady && channel.epoch === epoch) return;
    setHearing(channel, false);
    if (!isReady) return;
    channel.epoch = epoch;
    const onOutcome = (hears: boolean): void => {
      if (epoch !== connection.epoch) return;
      if (this.#channels.get(name) === channel) setHearing(channel, hears);
      else if (hears && !this.#channels.has(name)) unsubscribe(connection, name);
    };
    connection.send(
      'subscribe',
      [name],
      () => {
        onOutcome(true);
      },
      () => {
        onOutcome(false); // The server does not allow it, or the connection broke. The next connection subscribes again.
      },
    );
  }
}

function unsubscribe(connection: SubscriberConnection, name: string): void {
  const ignore = (): void => undefined;
  connection.send('unsubscribe', [name], ignore, ignore);
}

function setHearing(channel: Channel, hears: boolean): void {
  if (channel.hears === hears) return;
  channel.hears = hears;
  for (const listener of channel.listeners) listener.onHearing(hears);
}

/** How many listen, as the server that sent the message says. Another program may have sent it. */
function countIn(message: string): number {
  const count = Number(message);
  return Number.isSafeInteger(count) && count > 0 ? count : 0;
}
