import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { Lane, type Traffic } from './lane.js';
import { onFreePort } from './servers/port.js';

export interface RelayOptions {
  target: { host: string; port: number };
  /** What a whole round trip takes longer, half of it in each direction. Default: 0. */
  delayMs?: number;
  /** Up to this much more for a round trip, at random. Bytes never overtake each other. Default: 0. */
  jitterMs?: number;
  /** Default: a free one, which the relay keeps for as long as it lives. */
  port?: number;
}

/** A piece of network between a client and one server, whose faults a test decides. */
export interface Relay extends AsyncDisposable {
  readonly port: number;
  /** `redis://127.0.0.1:port` */
  readonly url: string;
  setDelay(delayMs: number, jitterMs?: number): void;
  /** Drops every connection and refuses new ones, as a dead server does. */
  cut(): Promise<void>;
  /** Listens again, on the same port. */
  restore(): Promise<void>;
  /** Keeps the connections, takes new ones, and forwards nothing. What is sent waits here: the server does not see it. */
  stall(): void;
  /** Forwards again, first of all what has waited. */
  flow(): void;
  /** Cut for good. Leaves no handle. */
  close(): Promise<void>;
}

const HOST = '127.0.0.1';

/** A relay that listens: connections to it are connections to the target. */
export async function openRelay(options: RelayOptions): Promise<Relay> {
  const relay = new TcpRelay(options.target);
  relay.setDelay(options.delayMs ?? 0, options.jitterMs);
  await (options.port === undefined ? onFreePort((port) => relay.listen(port)) : relay.listen(options.port));
  return relay;
}

class TcpRelay implements Relay {
  private readonly traffic: Traffic = { oneWayMs: 0, jitterMs: 0, stalled: false };
  private readonly lanes = new Set<Lane>();
  private readonly sockets = new Set<Socket>();
  private listener: Server | undefined;
  private listeningPort = 0;

  constructor(private readonly target: RelayOptions['target']) {}

  get port(): number {
    return this.listeningPort;
  }

  get url(): string {
    return `redis://${HOST}:${this.port}`;
  }

  setDelay(delayMs: number, jitterMs = 0): void {
    this.traffic.oneWayMs = delayMs / 2;
    this.traffic.jitterMs = jitterMs / 2;
    this.update();
  }

  stall(): void {
    this.traffic.stalled = true;
  }

  flow(): void {
    this.traffic.stalled = false;
    this.update();
  }

  async cut(): Promise<void> {
    const listener = this.listener;
    this.listener = undefined;
    const closed = [...this.sockets].map((socket) => once(socket, 'close'));
    if (listener?.listening === true) closed.push(once(listener, 'close'));
    listener?.close();
    for (const lane of this.lanes) lane.stop();
    for (const socket of this.sockets) socket.destroy();
    await Promise.all(closed);
  }

  async restore(): Promise<void> {
    if (this.listener === undefined) await this.listen(this.port);
  }

  close(): Promise<void> {
    return this.cut();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async listen(port: number): Promise<void> {
    const listener = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
      this.join(client);
    });
    this.listener = listener;
    listener.listen(port, HOST);
    try {
      await once(listener, 'listening');
    } catch (error) {
      this.listener = undefined;
      throw error;
    }
    this.listeningPort = (listener.address() as AddressInfo).port;
  }

  private update(): void {
    for (const lane of this.lanes) lane.update();
  }

  private join(client: Socket): void {
    const server = connect({ ...this.target, allowHalfOpen: true, noDelay: true });
    const pair = [client, server];
    const lanes = [new Lane(client, server, this.traffic), new Lane(server, client, this.traffic)];
    for (const lane of lanes) this.lanes.add(lane);
    for (const socket of pair) {
      this.sockets.add(socket);
      // A broken half breaks the whole; an orderly end is the lanes' business and arrives in its turn.
      socket.on('error', () => {
        for (const lane of lanes) lane.stop();
        for (const either of pair) either.destroy();
      });
      socket.on('close', () => {
        this.sockets.delete(socket);
        if (pair.some((either) => this.sockets.has(either))) return;
        for (const lane of lanes) this.lanes.delete(lane);
      });
    }
  }
}
