import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import type { RedisOptions } from 'ioredis';
import { OwnConnection } from '../../../lib/redis/own-connection.js';
import { createAuthority } from '../../support/certificate.js';
import { eventually } from '../../support/eventually.js';
import { VirtualClock } from '../../support/virtual-clock.js';

const sockets: Socket[] = [];
const servers: Server[] = [];
const connections: OwnConnection[] = [];
afterEach(() => {
  for (const each of connections.splice(0)) each.close();
  for (const each of sockets.splice(0)) each.destroy();
  for (const each of servers.splice(0)) each.close();
});

/** Takes connections, and says nothing. */
async function listen(server: Server, path?: string): Promise<number> {
  servers.push(server);
  if (path === undefined) server.listen(0, '127.0.0.1');
  else server.listen(path);
  await once(server, 'listening');
  return (server.address() as Partial<AddressInfo>).port ?? 0;
}

const take = (socket: Socket): void => {
  sockets.push(socket);
  socket.on('error', () => undefined);
};

function connect(target: RedisOptions): { connection: OwnConnection; clock: VirtualClock; states: string[] } {
  const clock = new VirtualClock();
  const rules = { reconnectDelayMs: 300, maxReconnectDelayMs: 3000 };
  const connection = new OwnConnection(
    's',
    () => target,
    rules,
    clock,
    () => 0.5,
  );
  connections.push(connection);
  const states: string[] = [];
  connection.onChange(({ status }) => states.push(status));
  connection.ensureConnected();
  return { connection, clock, states };
}

describe('P17: a server that answers nothing for 10 s', () => {
  it.each(['TCP', 'TLS', 'Unix socket'])('by %s: the connection is given up, and nothing is thrown', async (kind) => {
    const folder = await mkdtemp(join(tmpdir(), 'silent-'));
    const path = kind === 'Unix socket' ? join(folder, 'redis.sock') : undefined;
    const server = kind === 'TLS' ? createTlsServer(createAuthority('x').issue(), take) : createServer(take);
    const port = await listen(server, path);
    const tls = kind === 'TLS' ? { tls: { rejectUnauthorized: false } } : {};
    const { connection, clock, states } = connect(path === undefined ? { host: '127.0.0.1', port, ...tls } : { path });
    await eventually(() => states.length > 0);
    let failed = false;
    const onError = (): void => {
      failed = true;
    };
    connection.send('info', [], () => undefined, onError);
    await clock.advance(12_000);
    await eventually(() => failed);
    expect(states.slice(0, 2)).toEqual(['ready', 'down']);
    await rm(folder, { recursive: true });
  });
});

describe('P4: a Sentinel that takes connections and answers nothing', () => {
  it('is given up after 10 s, and asked again', async () => {
    const port = await listen(createServer(take));
    const { clock, states } = connect({ sentinels: [{ host: '127.0.0.1', port }], name: 'mymaster' });
    await eventually(() => sockets.length > 0);
    await clock.advance(10_200);
    expect(states).toEqual(['down']);
    await clock.advance(3000);
    await eventually(() => sockets.length > 1);
  });
});
