import { afterEach, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { OwnConnection } from '../../../lib/redis/own-connection.js';
import { eventually } from '../../support/eventually.js';
import { VirtualClock } from '../../support/virtual-clock.js';

const sockets: Socket[] = [];
const server = createServer((socket) => {
  sockets.push(socket.on('error', () => undefined).resume());
});
afterEach(() => {
  for (const each of sockets) each.destroy();
  server.close();
});

it('P15: a closed connection leaves none to a Sentinel that answers nothing', async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const connection = new OwnConnection(
    's',
    () => ({ sentinels: [{ host: '127.0.0.1', port }], name: 'mymaster' }),
    { reconnectDelayMs: 300, maxReconnectDelayMs: 3000 },
    new VirtualClock(),
    () => 0.5,
  );
  connection.ensureConnected();
  await eventually(() => sockets.length > 0);
  connection.close();
  const outcome = await Promise.race([
    once(sockets[0]!, 'close').then(() => 'closed'),
    sleep(1000).then(() => 'still open'),
  ]);
  expect(outcome).toBe('closed');
}, 20_000);
