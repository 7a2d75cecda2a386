import { afterEach, describe, expect, it } from '@jest/globals';
import { createServer, type Server, type Socket } from 'node:net';
import { OwnConnection } from '../../../lib/redis/own-connection.js';
import { SystemClock } from '../../../lib/system/system-clock.js';
import { eventually } from '../../support/eventually.js';

/** Accepts and says nothing, or what it is told to: enough of a server to see what a client does about it. */
class SilentServer {
  readonly sockets: Socket[] = [];
  received = '';
  #server: Server | undefined;

  async listen(port = 0, reply?: (text: string) => string): Promise<number> {
    const server = createServer((socket) => {
      this.sockets.push(socket);
      socket.on('error', () => undefined);
      socket.on('data', (data) => {
        this.received += data.toString();
        if (reply) socket.write(reply(data.toString()));
      });
    });
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    return (server.address() as { port: number }).port;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => (this.#server ? this.#server.close(resolve) : resolve(undefined)));
  }
}

const servers: SilentServer[] = [];
const connections: OwnConnection[] = [];
afterEach(async () => {
  for (const connection of connections.splice(0)) connection.close();
  for (const server of servers.splice(0)) await server.close();
});

function connectTo(port: number, rules = { reconnectDelayMs: 30, maxReconnectDelayMs: 60 }): OwnConnection {
  const connection = new OwnConnection(
    's',
    () => ({ options: { host: '127.0.0.1', port, enableReadyCheck: false, protocol: 2, disableClientInfo: true } }),
    rules,
    new SystemClock(),
  );
  connections.push(connection);
  return connection;
}

async function serverFor(reply?: (text: string) => string): Promise<{ server: SilentServer; port: number }> {
  const server = new SilentServer();
  servers.push(server);
  return { server, port: await server.listen(0, reply) };
}

describe('a connection of our own', () => {
  it('connects when it is first wanted, not before', async () => {
    const { server, port } = await serverFor();
    const connection = connectTo(port);
    expect(server.sockets).toHaveLength(0);
    expect(connection.reach()).toEqual({ status: 'connecting' });
    await eventually(() => connection.reach().status === 'ready');
    expect(server.sockets).toHaveLength(1);
  });

  it('says why it is down', async () => {
    const { server, port } = await serverFor();
    await server.close();
    const connection = connectTo(port, { reconnectDelayMs: 60_000, maxReconnectDelayMs: 60_000 });
    connection.reach();
    await eventually(() => connection.reach().status === 'down');
    expect(connection.reach()).toMatchObject({
      status: 'down',
      cause: { message: expect.stringContaining('ECONNREFUSED') },
    });
  });

  it('P11: sends nothing again after a break, and nothing that was asked for meanwhile', async () => {
    const { server, port } = await serverFor();
    const connection = connectTo(port);
    connection.reach();
    await eventually(() => connection.reach().status === 'ready');
    const call = connection.call('SET', ['k', 'v']).catch((error: unknown) => (error as Error).message);
    await eventually(() => server.received.includes('SET'));
    server.received = '';
    server.sockets[0]?.destroy();
    expect(await call).toEqual(expect.any(String));
    await expect(connection.call('SET', ['k', 'v'])).rejects.toThrow();
    await eventually(() => connection.reach().status === 'ready');
    const epoch = connection.epoch;
    await eventually(() => server.sockets.length >= 2);
    expect(server.received).toBe('');
    expect(epoch).toBe(2);
  });

  it('tells its listeners of every change', async () => {
    const { server, port } = await serverFor();
    const connection = connectTo(port, { reconnectDelayMs: 60_000, maxReconnectDelayMs: 60_000 });
    const states: string[] = [];
    connection.onChange(() => states.push(connection.reach().status));
    connection.reach();
    await eventually(() => states.includes('ready'));
    server.sockets[0]?.destroy();
    await eventually(() => states.includes('down'));
    connection.close();
    expect(states).toEqual(['ready', 'down', 'down']);
  });

  it('never puts a command or its arguments into an error', async () => {
    const { port } = await serverFor(() => '-ERR no such thing\r\n');
    const connection = connectTo(port);
    connection.reach();
    await eventually(() => connection.reach().status === 'ready');
    const error = await connection.call('AUTH', ['secret']).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ message: 'ERR no such thing' });
    expect(JSON.stringify(error) + Object.keys(error as object).join()).not.toMatch(/secret|command/);
  });
});
