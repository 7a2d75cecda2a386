import { AbstractConnector, SentinelConnector, type RedisOptions } from 'ioredis';
import { createConnection, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { setImmediate } from 'node:timers';
import type { Clock } from '../core/ports/clock.js';
import type { ReplyReader } from './reply-reader.js';

/** What ioredis 5 and 6 call, and do not publish. */
interface AsksSentinels {
  connectToSentinel(endpoint: object, options: object): { disconnect(): void };
}

type Connector = NonNullable<RedisOptions['Connector']>;

/** A server without TLS on this port never answers a handshake. */
const HANDSHAKE_MS = 2000;

/** Makes the socket, as ioredis does without the option `Connector`. */
class DirectConnector extends AbstractConnector {
  firstError: Error | undefined;

  constructor(private readonly options: RedisOptions) {
    super(options.disconnectTimeout ?? 0);
  }

  connect(): Promise<Socket> {
    const { host, port, path, family, tls } = this.options;
    const address = path ? { path } : { host, port: Number(port), family };
    this.connecting = true;
    const socket = tls ? connectTls({ ...address, ...(tls as object) }) : createConnection(address as { port: number });
    this.stream = socket;
    socket.once('error', (error: Error) => {
      this.firstError = error;
    });
    return Promise.resolve(socket);
  }
}

/**
 * A connector for the option `Connector` of ioredis. It checks what its sockets receive: a reply at which the client would throw ends
 * the connection, with the reason, before the client reads it.
 */
export function guardedConnector(options: RedisOptions, reader: ReplyReader, clock: Clock): Connector {
  const Base = (options.Connector ??
    (options.sentinels ? SentinelConnector : DirectConnector)) as typeof DirectConnector;
  return class extends Base {
    /** The client that asks a Sentinel now. It would go on until that answers, because the connector does not know it. */
    asking: { disconnect(): void } | undefined;

    connectToSentinel(endpoint: object, more: object = {}): { disconnect(): void } {
      const base = Base.prototype as unknown as AsksSentinels;
      return (this.asking = base.connectToSentinel.call(this, endpoint, { disconnectTimeout: 10, ...more }));
    }

    override disconnect(): void {
      super.disconnect();
      this.asking?.disconnect();
    }

    override async connect(...args: []): Promise<Socket> {
      const socket = await super.connect(...args);
      readAlong(socket, reader);
      sendTogether(socket);
      if ('encrypted' in socket) limitHandshake(socket, clock);
      return socket;
    }
  } as unknown as Connector;
}

/** The client adds its `data` handler later, and before all other handlers. So the check is in `emit`. */
function readAlong(socket: Socket, reader: ReplyReader): void {
  const emit = socket.emit.bind(socket) as (event: string | symbol, ...args: unknown[]) => boolean;
  socket.emit = (event: string | symbol, ...args: unknown[]): boolean => {
    if (event !== 'data') return emit(event, ...args);
    if (socket.destroyed) return false;
    try {
      return reader.read(args[0] as Buffer) || emit(event, ...args);
    } catch (error) {
      socket.destroy(error as Error);
      return true;
    }
  };
}

/**
 * Sends the first commands of a client in one piece. A server with too many clients says so and closes the connection. A second write
 * would fail then, and the client would never read what the server has said.
 */
function sendTogether(socket: Socket): void {
  socket.once('encrypted' in socket ? 'secureConnect' : 'connect', () => {
    socket.cork();
    setImmediate(() => {
      socket.uncork();
    });
  });
}

function limitHandshake(socket: Socket, clock: Clock): void {
  socket.once('connect', () => {
    const cancel = clock.after(HANDSHAKE_MS, () => {
      socket.destroy(
        new Error(
          `no answer to the TLS handshake within ${HANDSHAKE_MS} ms: the server may speak no TLS on this port ` +
            '(a redis:// URL, or no option tls, then)',
        ),
      );
    });
    socket.once('secureConnect', cancel);
    socket.once('close', cancel);
  });
}
