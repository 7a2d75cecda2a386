import 'reflect-metadata';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Cluster, Redis } from 'ioredis';
import { RedlockModule, RedlockService, type RedlockServer } from 'redlock-nestjs';
import { LockReader } from '../../lib/dashboard/lock-reader.js';
import { eventually } from '../support/eventually.js';
import { start, type Fleet, type FleetServer } from '../support/fleet.js';

const apps: INestApplicationContext[] = [];
const clients: { disconnect(): void }[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
  for (const client of clients.splice(0)) client.disconnect();
});

async function boot(servers: RedlockServer | RedlockServer[]): Promise<RedlockService> {
  @Module({ imports: [RedlockModule.forRoot(servers)] })
  class AppModule {}
  const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
  apps.push(app);
  return app.get(RedlockService);
}

/** The keys that the page lists, and what it says of those that it may not know of. */
async function listed(service: RedlockService): Promise<{ keys: string[]; gaps: readonly string[] }> {
  const { locks, gaps } = await new LockReader([{ name: undefined, service }]).read();
  return { keys: [...locks.values()].map((row) => (row as { key: string }).key).toSorted(), gaps };
}

describe('the locks of a client that was given', () => {
  let fleet: Fleet;
  beforeAll(async () => {
    fleet = await start(3, { direct: true });
  });
  afterAll(() => fleet.stop());

  it('are listed where it has a keyPrefix of its own', async () => {
    const given = fleet.servers.map(({ host, port }) => {
      const client = new Redis({ host, port, keyPrefix: 'app:' });
      clients.push(client);
      return client;
    });
    const service = await boot(given);
    const lock = await service.acquire(['invoices', '{42}order'], '30s');
    expect((await listed(service)).keys).toEqual(['invoices', '{42}order']);
    await lock.release();
  });

  it('are not listed where it is a Cluster, and the page says so: SCAN sees one of its nodes', async () => {
    const args = ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1'];
    await using nodes = await start(1, { direct: true, args });
    const [node] = nodes.servers as [FleetServer];
    await node.command('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
    await eventually(async () => String(await node.command('CLUSTER', 'INFO')).includes('cluster_state:ok'));
    const cluster = new Cluster([{ host: node.host, port: node.port }]);
    cluster.on('error', () => undefined);
    clients.push(cluster);
    const service = await boot(cluster);
    const lock = await service.acquire('invoices', '60s');
    const gap = expect.stringContaining('was not searched for locks: it is a Cluster');
    expect(await listed(service)).toEqual({ keys: [], gaps: [gap] });
    await lock.release();
  });
});
