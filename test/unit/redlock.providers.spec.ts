import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { ConsoleLogger, Logger } from '@nestjs/common';
import { EventEmitter } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { toSettings } from '../../lib/client/options/module-options.js';
import type { RedlockModuleOptions, RedlockOptions } from '../../lib/interfaces/index.js';
import { EventSource } from '../../lib/client/event-source.js';
import { LockClient } from '../../lib/client/lock-client.js';
import { createShards, redisServers } from '../../lib/client/server-factory.js';
import { RedlockService } from '../../lib/redlock.service.js';
import type { Shards } from '../../lib/client/shards.js';
import { CollectingLogger } from '../support/collecting-logger.js';
import { eventually } from '../support/eventually.js';

/** As much of a client as we use. It answers INFO, and everything else only if it was told to. */
class StandInClient extends EventEmitter {
  status = 'ready';
  runId = 'first';
  uptimeS = 1_000_000;
  grants = false;
  readonly scripts: string[][] = [];
  readonly options = { host: 'stand-in', port: 1 };

  call(command: string, ...[, ...args]: (string | number)[]): Promise<unknown> {
    if (command === 'info') {
      const lines = ['redis_version:7.0.0', `run_id:${this.runId}`, `uptime_in_seconds:${this.uptimeS}`, 'role:master'];
      return Promise.resolve(lines.join('\r\n'));
    }
    if (!command.startsWith('eval')) return new Promise(() => undefined);
    // One key, two values of the marker and no operation are a look at the marker.
    if (args.length > 5) this.scripts.push(args.map(String));
    return this.grants ? Promise.resolve(['marker', [1, 7]]) : new Promise(() => undefined);
  }

  connect(): Promise<void> {
    return Promise.resolve();
  }

  /** The connection breaks and is made again, to a server that was restarted meanwhile. */
  restart(): void {
    this.status = 'reconnecting';
    this.emit('close');
    this.runId = 'second';
    this.uptimeS = 0;
    this.status = 'ready';
    this.emit('ready');
  }
}

beforeAll(() => {
  Logger.overrideLogger(new CollectingLogger());
});
afterAll(() => {
  Logger.overrideLogger(new ConsoleLogger());
});

const opened: Shards[] = [];
const servers: Server[] = [];
afterEach(async () => {
  for (const shards of opened.splice(0)) shards.close();
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
});

function open(options: RedlockModuleOptions): { shards: Shards; service: RedlockService } {
  const settings = toSettings(options);
  const events = new EventSource();
  const shards = createShards(settings, redisServers(), events);
  opened.push(shards);
  return { shards, service: new RedlockService(new LockClient(settings, shards, events)) };
}

async function given(options: RedlockOptions = {}): Promise<{ client: StandInClient; service: RedlockService }> {
  const client = new StandInClient();
  const { shards, service } = open({ servers: client, nodeTimeout: 50, ...options });
  const [server] = shards.servers;
  await eventually(() => server?.node.ensureConnected().status === 'ready');
  return { client, service };
}

/** The keys of a script call, which stand after their number. */
const keysOf = ([count, ...rest]: string[] = []): string[] => rest.slice(0, Number(count));

const messageOf = async (call: Promise<unknown>): Promise<string> =>
  await call.then(
    () => 'granted',
    (error: unknown) => (error as Error).message,
  );

describe('what the options make of a server', () => {
  it('keyPrefix, owner and fencing are in what is sent', async () => {
    const { client, service } = await given({ keyPrefix: 'mine:', owner: 'worker 7', nodeTimeout: '10s' });
    client.grants = true;
    await service.acquire('k', '1m', { wait: 0 });
    expect(keysOf(client.scripts[0])).toEqual(['{mine:}:marker', 'mine:k', '{mine:k}:fence']);
    expect(client.scripts[0]).toContain('worker 7');
    const other = await given({ fencing: false, nodeTimeout: '10s' });
    other.client.grants = true;
    await other.service.acquire('k', '1m', { wait: 0 });
    expect(keysOf(other.client.scripts[0])).toEqual(['{redlock:}:marker', 'redlock:k']);
  });

  it('nodeTimeout is how long it may take, also in health()', async () => {
    const { service } = await given({ nodeTimeout: 40 });
    expect(await messageOf(service.acquire('k', '1m', { wait: 0 }))).toContain('no answer within 40 ms');
    expect(await service.health()).toMatchObject({
      quorum: false,
      servers: [{ state: 'silent', reason: 'no answer within 40 ms', version: '7.0.0' }],
    });
  });

  it('driftFactor is taken from the validity', async () => {
    const { client, service } = await given({ driftFactor: 0.25 });
    client.grants = true;
    const lock = await service.acquire('k', '1m');
    expect(lock.fencingToken).toBe(7);
    expect(lock.remaining).toBeGreaterThan(35_000);
    expect(lock.remaining).toBeLessThanOrEqual(45_000 - 2);
    await lock.release();
  });

  it.each([
    [undefined, 10],
    [3, 3],
  ])('maxConcurrency %p is how many round trips are under way', async (maxConcurrency, most) => {
    const { client, service } = await given({ maxConcurrency, nodeTimeout: 200 });
    const asked: Promise<string>[] = [];
    for (let index = 0; index < 15; index++) {
      asked.push(messageOf(service.acquire(`k${index}`, '1m', { wait: 0 })));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(client.scripts).toHaveLength(most);
    for (const message of await Promise.all(asked)) expect(message).toContain('no answer within 200 ms');
    expect(client.scripts).toHaveLength(most);
  });

  it.each<[RedlockOptions['restartGuard'], { first: boolean; young: boolean; restarted: boolean; marker: boolean }]>([
    [undefined, { first: true, young: true, restarted: false, marker: true }],
    ['witnessed', { first: true, young: true, restarted: false, marker: true }],
    ['strict', { first: true, young: false, restarted: false, marker: true }],
    ['off', { first: true, young: true, restarted: true, marker: false }],
  ])('P12: restartGuard %p says which servers vote', async (restartGuard, expected) => {
    const votes = async (client: StandInClient, service: RedlockService): Promise<boolean> => {
      client.grants = true;
      const message = await messageOf(service.acquire(`k${client.scripts.length}`, '1m', { wait: 0 }));
      if (message !== 'granted') expect(message).toContain('quarantined, because it');
      return message === 'granted';
    };
    const { client, service } = await given({ restartGuard });
    const first = await votes(client, service);
    const marker = keysOf(client.scripts[0]).includes('{redlock:}:marker');
    client.restart();
    const restarted = await votes(client, service);

    const young = new StandInClient();
    young.uptimeS = 5;
    const other = open({ servers: young, nodeTimeout: 50, restartGuard });
    await eventually(() => other.shards.servers[0]?.node.ensureConnected().status === 'ready');
    expect({ first, marker, restarted, young: await votes(young, other.service) }).toEqual(expected);
  });
});

describe('reconnectDelay and maxReconnectDelay', () => {
  /** Accepts, and hangs up. */
  async function hangUp(): Promise<{ port: number; sockets: Socket[] }> {
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => undefined).destroy();
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return { port: (server.address() as { port: number }).port, sockets };
  }

  it.each(['that carries the locks', 'that hears of releases'])('are those of the connection %s', async (which) => {
    const { port, sockets } = await hangUp();
    const { shards } = open({ servers: `127.0.0.1:${port}`, reconnectDelay: 10, maxReconnectDelay: 20 });
    const [server] = shards.servers;
    const startedAt = performance.now();
    if (which === 'that carries the locks') server?.node.ensureConnected();
    else server?.node.listen('channel', { onHearing: () => undefined, onReleased: () => undefined });
    await eventually(() => sockets.length >= 8);
    // With the default delays it would be after 15 s.
    expect(performance.now() - startedAt).toBeLessThan(5000);
  });

  it('are not below what was given: who has to wait for an hour does not come again', async () => {
    const { port, sockets } = await hangUp();
    const { shards } = open({ servers: `127.0.0.1:${port}`, reconnectDelay: '1h' });
    const [server] = shards.servers;
    await eventually(() => server?.node.ensureConnected().status === 'down');
    for (let wish = 0; wish < 10; wish++) {
      expect(server?.node.ensureConnected().status).toBe('down');
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(sockets).toHaveLength(1);
  });
});
