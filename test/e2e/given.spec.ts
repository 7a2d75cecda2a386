import 'reflect-metadata';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { Redis as Redis5 } from 'ioredis5';
import {
  RedlockModule,
  RedlockService,
  type RedlockOptions,
  type RedlockServer,
  type ServerHealth,
} from 'redlock-nestjs';
import { CollectingLogger } from '../support/collecting-logger.js';
import { eventually } from '../support/eventually.js';
import { start, type Fleet, type FleetServer } from '../support/fleet.js';
import { openRelay, type Relay } from '../support/relay.js';

const apps: INestApplicationContext[] = [];
const clients: { disconnect(): void }[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
  for (const client of clients.splice(0)) client.disconnect();
});

interface Replica {
  readonly app: INestApplicationContext;
  readonly service: RedlockService;
  readonly logger: CollectingLogger;
}

async function boot(servers: RedlockServer | RedlockServer[], options: RedlockOptions = {}): Promise<Replica> {
  @Module({ imports: [RedlockModule.forRoot(servers, options)] })
  class AppModule {}
  const logger = new CollectingLogger();
  const app = await NestFactory.createApplicationContext(AppModule, { logger });
  apps.push(app);
  return { app, service: app.get(RedlockService), logger };
}

/** What an application would make, which comes back soon after a break. */
function client(port: number, options: RedisOptions = {}, Client: typeof Redis = Redis): Redis {
  const made = new Client({ host: '127.0.0.1', port, retryStrategy: () => 20, disconnectTimeout: 10, ...options });
  made.on('error', () => undefined);
  clients.push(made);
  return made;
}

interface Line extends AsyncDisposable {
  readonly fleet: Fleet;
  readonly server: FleetServer;
  readonly relay: Relay;
}

/** A server behind a piece of network that can keep what is sent, and lose it. */
async function line(args: string[] = []): Promise<Line> {
  const fleet = await start(1, { direct: true, args });
  const [server] = fleet.servers as [FleetServer];
  const relay = await openRelay({ target: { host: server.host, port: server.port } });
  return {
    fleet,
    server,
    relay,
    [Symbol.asyncDispose]: async () => {
      await relay.close();
      await fleet.stop();
    },
  };
}

/** How a client queues, sends again or gives up: the options that make ghosts of commands elsewhere. */
const HABITS: [string, RedisOptions][] = [
  ['the defaults', {}],
  ['commandTimeout', { commandTimeout: 150 }],
  ['maxRetriesPerRequest: null', { maxRetriesPerRequest: null }],
  ['maxRetriesPerRequest: 0', { maxRetriesPerRequest: 0 }],
  ['enableOfflineQueue: false', { enableOfflineQueue: false }],
  ['autoResendUnfulfilledCommands: false', { autoResendUnfulfilledCommands: false }],
  ['enableAutoPipelining', { enableAutoPipelining: true }],
  ['autoPipelining and commandTimeout', { enableAutoPipelining: true, commandTimeout: 150 }],
  ['reconnectOnError: 2', { reconnectOnError: () => 2 }],
];
const COPIES: [string, typeof Redis][] = [
  ['ioredis 6', Redis],
  ['ioredis 5', Redis5 as unknown as typeof Redis],
];
const EACH = COPIES.flatMap(([copy, Client]) =>
  HABITS.slice(0, Client === Redis ? HABITS.length : 2).map(
    ([habit, options]) => [copy, habit, options, Client] as const,
  ),
);

/** Whether the client has sent something that is not answered. */
const hasSent = (client: Redis): boolean => (client as unknown as { commandQueue: unknown[] }).commandQueue.length > 0;

describe('P11: a client that was given makes no ghosts', () => {
  it.each(EACH)(
    '%s with %s: an acquire that was under way when the connection broke is not granted after shutdown',
    async (_, __, options, Client) => {
      await using path = await line();
      const given = client(path.relay.port, options, Client);
      const { app, service } = await boot(given, { nodeTimeout: 300, shutdownTimeout: 200 });
      await service.withLock('warm-up', '1s', () => Promise.resolve());
      path.relay.stall();
      const acquired = service.acquire('k', '30s', { wait: 0 }).catch((error: unknown) => error);
      await eventually(() => hasSent(given));
      await path.relay.cut();
      expect(await acquired).toMatchObject({ code: 'QUORUM_UNREACHABLE' });
      await app.close();
      path.relay.flow();
      await path.relay.restore();
      await eventually(() => given.status === 'ready');
      // Whatever it had kept has been sent before this.
      await given.ping();
      expect(await path.server.keys('redlock:k')).toEqual([]);
    },
  );

  it.each(EACH)(
    'P1, P12, %s with %s: a vote that was asked for before a restart is not counted after it',
    async (_, __, options, Client) => {
      // A snapshot has the marker, but not what came after it.
      await using path = await line(['--appendonly', 'no', '--save', '']);
      const first = await boot(path.fleet.urls);
      const given = client(path.relay.port, options, Client);
      const second = await boot(given, { nodeTimeout: 2000 });
      for (const { service } of [first, second]) await service.withLock('warm-up', '1s', () => Promise.resolve());
      await path.server.command('SAVE');
      const lock = await first.service.acquire('k', '30s');
      path.relay.stall();
      const acquired = second.service.acquire('k', '30s', { wait: 0 }).catch((error: unknown) => error);
      await eventually(() => hasSent(given));
      await path.relay.cut();
      await path.server.restart();
      path.relay.flow();
      await path.relay.restore();
      expect(await acquired).toMatchObject({ code: 'QUORUM_UNREACHABLE' });
      expect(lock.isHeld()).toBe(true);
      for (const { app } of [first, second]) await app.close();
    },
  );

  it('a server does not run out of round trips when its connection breaks often', async () => {
    await using path = await line();
    const given = client(path.relay.port, { autoResendUnfulfilledCommands: false });
    const { service } = await boot(given, { nodeTimeout: 200, maxConcurrency: 2 });
    for (let breaks = 0; breaks < 4; breaks++) {
      await service.withLock('k', '1s', () => Promise.resolve());
      path.relay.stall();
      const acquired = service.acquire('k', '30s', { wait: 0 }).catch((error: unknown) => error);
      await eventually(() => hasSent(given));
      await path.relay.cut();
      expect(await acquired).toMatchObject({ code: 'QUORUM_UNREACHABLE' });
      path.relay.flow();
      await path.relay.restore();
    }
  });

  it('a Cluster that keeps a command for later does not send it after its release', async () => {
    await using pair = await start(2, { direct: true, args: ['--cluster-enabled', 'yes'] });
    const [one, two] = pair.servers as [FleetServer, FleetServer];
    await one.command('CLUSTER', 'ADDSLOTSRANGE', '0', '8191');
    await two.command('CLUSTER', 'ADDSLOTSRANGE', '8192', '16383');
    await one.command('CLUSTER', 'MEET', two.host, String(two.port));
    for (const server of pair.servers) {
      await eventually(async () => String(await server.command('CLUSTER', 'INFO')).includes('cluster_state:ok'));
    }
    // Which has redlock:k, in slot 11455.
    const { host, port } = two;
    await using relay = await openRelay({ target: { host, port } });
    const cluster = new Cluster([{ host: one.host, port: one.port }], {
      natMap: { [`${host}:${port}`]: { host, port: relay.port } },
      retryDelayOnFailover: 800,
    });
    cluster.on('error', () => undefined);
    clients.push(cluster);
    const { service } = await boot(cluster, { nodeTimeout: 300 });
    await service.withLock('k', '1s', () => Promise.resolve());
    relay.stall();
    const acquired = service.acquire('k', '30s', { wait: 0 }).catch((error: unknown) => error);
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    await relay.cut();
    relay.flow();
    await relay.restore();
    await two.command('CONFIG', 'RESETSTAT');
    expect(await acquired).toMatchObject({ code: 'QUORUM_UNREACHABLE' });
    // The release, and then what the Cluster has kept.
    await eventually(async () => String(await two.command('INFO', 'commandstats')).includes('cmdstat_evalsha:calls=2'));
    expect([...(await one.keys('redlock:*')), ...(await two.keys('redlock:*'))]).toEqual([]);
  });
});

/** With these ioredis sends nothing at a time of its own. */
const SAFE = { autoResendUnfulfilledCommands: false, enableOfflineQueue: false } satisfies RedisOptions;

describe('a client that was given', () => {
  let fleet: Fleet;
  beforeAll(async () => {
    fleet = await start(3, { direct: true, args: ['--repl-diskless-sync-delay', '0'] });
  });
  afterAll(() => fleet.stop());

  const stateOf = async (service: RedlockService): Promise<ServerHealth> => (await service.health()).servers[0]!;

  it('P17: that its owner closes is down, says so, and is never opened by us; opened by its owner it is back', async () => {
    const given = client(fleet.servers[0]!.port);
    const { service, logger } = await boot(given, { nodeTimeout: 300 });
    await service.withLock('k', '1s', () => Promise.resolve());
    given.disconnect();
    await eventually(() => given.status === 'end');
    const reason = expect.stringContaining('only its owner can connect it again');
    await expect(service.acquire('k', '1s', { wait: '500ms' })).rejects.toMatchObject({
      code: 'QUORUM_UNREACHABLE',
      message: reason,
    });
    expect(await stateOf(service)).toMatchObject({ state: 'down', reason });
    expect(given.status).toBe('end');
    expect(logger.problems.filter((line) => line.includes('cannot be reached'))).toHaveLength(1);
    await given.connect();
    await service.withLock('k', '1s', () => Promise.resolve());
    expect(await stateOf(service)).toMatchObject({ state: 'ready' });
  });

  it('P17: that was closed before it was given is down, and the application starts', async () => {
    const given = client(fleet.servers[0]!.port, { lazyConnect: true });
    given.disconnect();
    await eventually(() => given.status === 'end');
    const { service } = await boot(given, { nodeTimeout: 300 });
    await expect(service.acquire('k', '1s', { wait: 0 })).rejects.toMatchObject({ code: 'QUORUM_UNREACHABLE' });
    expect(given.status).toBe('end');
  });

  it('P17: that cannot reach its server says why it is down', async () => {
    const { service } = await boot(client(1), { nodeTimeout: 300 });
    const reason = expect.stringContaining('ECONNREFUSED');
    await expect(service.acquire('k', '1s', { wait: '300ms' })).rejects.toMatchObject({
      code: 'QUORUM_UNREACHABLE',
      message: reason,
    });
  });

  it('P1, P12: puts its keyPrefix before all keys, also of the marker and of the counter', async () => {
    const given = (): Redis => client(fleet.servers[0]!.port, { keyPrefix: 'app:' });
    const [first, second] = [await boot(given()), await boot(given())];
    const lock = await first.service.acquire('k', '5s');
    expect(await second.service.tryAcquire('k', '5s')).toBeNull();
    expect(await fleet.servers[0]!.keys('*')).toEqual(
      expect.arrayContaining(['app:redlock:k', 'app:{redlock:k}:fence', 'app:{redlock:}:marker']),
    );
    // Woken by the release, and so also under one name of the channel.
    const waiting = second.service.acquire('k', '5s');
    await lock.release();
    await (await waiting).release();
    await fleet.servers[0]!.command('FLUSHALL');
    await expect(first.service.acquire('k', '5s', { wait: 0 })).rejects.toThrow(/lost its data|quarantined/);
  });

  it('P11: is warned about once where its options could make ghosts, and not at all where they cannot', async () => {
    const [unsafe, safe] = fleet.servers.map(({ port }, index) =>
      client(port, index === 0 ? { commandTimeout: 5000 } : SAFE),
    );
    const { service, logger } = await boot([unsafe!, safe!]);
    await service.withLock('k', '2s', () => Promise.resolve());
    unsafe!.disconnect(true);
    await eventually(() => unsafe!.status !== 'ready');
    await eventually(() => unsafe!.status === 'ready');
    await service.withLock('k', '2s', () => Promise.resolve());
    const advice =
      'set autoResendUnfulfilledCommands to false, set enableOfflineQueue to false, leave out commandTimeout';
    expect(logger.problems.filter((line) => line.includes('sent a command again'))).toEqual([
      expect.stringContaining(advice),
    ]);
    const { servers } = await service.health();
    expect(servers[0]?.warnings).toContainEqual({ code: 'client-resends', message: expect.stringContaining(advice) });
    expect(servers[1]?.warnings.map(({ code }) => code)).not.toContain('client-resends');
  });

  it.each<[string, RedisOptions]>([
    ['enableAutoPipelining', { enableAutoPipelining: true }],
    ['stringNumbers', { stringNumbers: true }],
    ['a db', { db: 3 }],
    ['no ready check', { enableReadyCheck: false }],
  ])('may have %s', async (_, options) => {
    const { service, logger } = await boot(fleet.servers.map(({ port }) => client(port, { ...SAFE, ...options })));
    await service.withLock(['a', 'b'], '2s', async (lock) => {
      await lock.extend('3s');
      expect(await service.tryAcquire('b', '2s')).toBeNull();
      expect((await service.inspect('a')).held).toBe(true);
    });
    expect(logger.problems).toEqual([]);
  });

  it('P13: that reads from a replica does not vote', async () => {
    const [master, replica] = fleet.servers as [FleetServer, FleetServer];
    await replica.command('REPLICAOF', master.host, String(master.port));
    try {
      const given = client(replica.port, { readOnly: true });
      const { service, logger } = await boot(given, { nodeTimeout: 300 });
      await expect(service.acquire('k', '1s', { wait: '400ms' })).rejects.toThrow(/is a replica: it does not vote/);
      expect(logger.problems.filter((line) => line.includes('is a replica'))).toHaveLength(1);
      const reason = expect.stringContaining('is a replica');
      expect(await stateOf(service)).toMatchObject({ state: 'refusing', reason });
    } finally {
      await replica.command('REPLICAOF', 'NO', 'ONE');
    }
  });

  it('P13: whose server becomes a replica is noticed, and has forgotten its locks when it is a master again', async () => {
    const [server, other] = fleet.servers as [FleetServer, FleetServer];
    const [first, second] = [await boot(client(server.port)), await boot(client(server.port))];
    for (const { service } of [first, second]) await service.withLock('warm-up', '1s', () => Promise.resolve());
    const lock = await first.service.acquire('k', '20s');
    await server.command('REPLICAOF', other.host, String(other.port));
    const asked = (): Promise<unknown> =>
      second.service.acquire('k', '20s', { wait: 0 }).catch((error: unknown) => String(error));
    try {
      await eventually(async () => (await server.keys('redlock:k')).length === 0);
      expect(await asked()).toContain('READONLY');
      await eventually(async () => (await stateOf(second.service)).state === 'refusing');
      expect(await asked()).toContain('is a replica: it does not vote');
      expect(second.logger.problems).toContainEqual(expect.stringContaining('is a replica'));
    } finally {
      await server.command('REPLICAOF', 'NO', 'ONE');
    }
    await eventually(async () => (await stateOf(second.service)).state === 'quarantined');
    expect(await asked()).toContain('quarantined');
    expect(lock.isHeld()).toBe(true);
  });
});
