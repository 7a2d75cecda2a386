import 'reflect-metadata';
import { afterEach, describe, expect, it } from '@jest/globals';
import { inspect } from 'node:util';
import { Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Redis, type RedisOptions } from 'ioredis';
import { RedlockModule, RedlockService, type RedlockOptions, type RedlockServer } from 'redlock-nestjs';
import { CollectingLogger } from '../support/collecting-logger.js';
import { eventually } from '../support/eventually.js';
import { start, type Fleet, type FleetServer } from '../support/fleet.js';
import { startSentinel, type Sentinel } from '../support/sentinel.js';

const PASSWORD = 's3ntinel-secret';
const NAME = 'locks';

const apps: INestApplicationContext[] = [];
const clients: Redis[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
  for (const client of clients.splice(0)) client.disconnect();
});

interface Replica {
  readonly service: RedlockService;
  readonly logger: CollectingLogger;
}

async function boot(servers: RedlockServer[], options: RedlockOptions = {}): Promise<Replica> {
  @Module({ imports: [RedlockModule.forRoot(servers, { nodeTimeout: 300, ...options })] })
  class AppModule {}
  const logger = new CollectingLogger();
  const app = await NestFactory.createApplicationContext(AppModule, { logger });
  apps.push(app);
  return { service: app.get(RedlockService), logger };
}

interface Group extends AsyncDisposable {
  readonly sentinel: Sentinel;
  readonly master: FleetServer;
  readonly replica: FleetServer;
  /** As many plain servers as were asked for. */
  readonly others: readonly FleetServer[];
}

/** A master, its replica and a Sentinel that watches them, and servers of their own beside. */
async function group(others = 0): Promise<Group> {
  const fleet: Fleet = await start(2 + others, {
    direct: true,
    kind: 'local',
    args: ['--repl-diskless-sync-delay', '0'],
  });
  const [master, replica, ...rest] = fleet.servers as [FleetServer, FleetServer, ...FleetServer[]];
  await replica.command('REPLICAOF', master.host, String(master.port));
  await eventually(async () => String(await replica.command('INFO', 'replication')).includes('link_status:up'));
  const sentinel = await startSentinel({ master, name: NAME, password: PASSWORD });
  return {
    sentinel,
    master,
    replica,
    others: rest,
    [Symbol.asyncDispose]: async () => {
      // Nothing of what is to fail once there are no servers is a part of the test.
      for (const app of apps.splice(0)) await app.close();
      await sentinel[Symbol.asyncDispose]();
      await fleet.stop();
    },
  };
}

const options = ({ sentinel: { host, port } }: Group, password = PASSWORD): RedisOptions => ({
  sentinels: [{ host, port }],
  name: NAME,
  sentinelPassword: password,
});

function given(servers: Group): Redis {
  const client = new Redis({ ...options(servers), sentinelRetryStrategy: () => 50, disconnectTimeout: 10 });
  client.on('error', () => undefined);
  clients.push(client);
  return client;
}

const WAYS: [string, (servers: Group) => RedlockServer][] = [
  ['a client that was given', given],
  ['a connection of our own', (servers) => options(servers)],
];

/** The master dies with what it has granted since the replica lost touch, and the replica takes over. */
async function loseTheMaster({ master, replica, sentinel }: Group, grant: () => Promise<void>): Promise<void> {
  await replica.pause();
  await master.command('CLIENT', 'KILL', 'TYPE', 'replica');
  await grant();
  await master.kill();
  await replica.resume();
  await eventually(async () => (await sentinel.masterPort()) === replica.port);
}

describe('P12: a replica that takes over, promoted by Sentinel', () => {
  it.each(
    WAYS.flatMap(([way, server]) => [
      [way, 'witnessed', 1, '6s', server] as const,
      [way, 'off', 2, '30s', server] as const,
    ]),
  )(
    'as the only server, with %s and restartGuard %s: %i at once hold what did not come through to it',
    async (_, restartGuard, holders, ttl, server) => {
      await using servers = await group();
      const [first, second] = [
        await boot([server(servers)], { restartGuard }),
        await boot([server(servers)], { restartGuard }),
      ];
      for (const { service } of [first, second]) await service.withLock('before', '1s', () => Promise.resolve());
      await eventually(
        async () => (await servers.replica.keys('{redlock:}:marker')).length === (holders === 1 ? 1 : 0),
      );
      const lock = await lockThatIsLost(servers, first.service, ttl);
      expect(await servers.replica.keys('redlock:k')).toEqual([]);
      const other = await second.service.acquire('k', ttl, { wait: '25s' });
      expect([lock, other].filter((each) => each.isHeld())).toHaveLength(holders);
      expect(other.fencingToken).toBeGreaterThan(lock.fencingToken);
      if (holders === 1) {
        expect(second.logger.problems).toContainEqual(expect.stringContaining('was a replica until lately'));
      }
    },
    40_000,
  );

  it.each([
    ['witnessed', 1],
    ['off', 2],
  ] as const)(
    'as one of three, with restartGuard %s: %i at once',
    async (restartGuard, holders) => {
      await using servers = await group(2);
      const [one, two] = servers.others as [FleetServer, FleetServer];
      const all = (): RedlockServer[] => [options(servers), one.url, two.url];
      const [first, second] = [await boot(all(), { restartGuard }), await boot(all(), { restartGuard })];
      for (const { service } of [first, second]) {
        await service.withLock('before', '1s', () => Promise.resolve());
        await eventually(async () => (await service.health()).servers.every(({ state }) => state === 'ready'));
      }
      await two.kill();
      const lock = await lockThatIsLost(servers, first.service, '30s');
      await two.restart();
      const present = async (): Promise<boolean> =>
        (await second.service.health()).servers.every(({ state }) => ['ready', 'quarantined'].includes(state));
      await eventually(present);
      const other = await second.service.acquire('k', '30s', { wait: 0 }).catch(() => undefined);
      expect([lock, other].filter((each) => each?.isHeld())).toHaveLength(holders);
      const told = second.logger.problems.some((line) => line.includes('was a replica until lately'));
      expect(told).toBe(holders === 1);
    },
    40_000,
  );

  async function lockThatIsLost(servers: Group, service: RedlockService, ttl: string) {
    let lock: Awaited<ReturnType<RedlockService['acquire']>> | undefined;
    await loseTheMaster(servers, async () => {
      lock = await service.acquire('k', ttl);
    });
    return lock!;
  }
});

describe('P16: the password of a Sentinel', () => {
  it.each(WAYS)('is shown nowhere, with %s', async (_, server) => {
    await using servers = await group();
    const { service, logger } = await boot([server(servers)]);
    const lock = await service.acquire('k', '5s');
    const health = await service.health();
    const printed = [lock, service, health].flatMap((each) => [
      inspect(each, { depth: 20, showHidden: true }),
      JSON.stringify(each),
    ]);
    await lock.release();
    expect([...printed, ...logger.lines.map(({ text }) => text)].join('\n')).not.toContain(PASSWORD);
    expect(health.servers[0]).toMatchObject({ server: `sentinel:${NAME}`, state: 'ready' });
  });

  it('that is wrong is the reason, and is shown nowhere', async () => {
    await using servers = await group();
    const { service, logger } = await boot([options(servers, 'wr0ng-secret')]);
    const failure: unknown = await service.acquire('k', '5s', { wait: '1s' }).catch((error: unknown) => error);
    const health = await service.health();
    expect(failure).toMatchObject({ code: 'QUORUM_UNREACHABLE', message: expect.stringMatching(/WRONGPASS/) });
    const everything = [
      inspect(failure, { depth: 20 }),
      JSON.stringify([failure, health]),
      ...logger.lines.map(({ text }) => text),
    ].join('\n');
    expect(everything).not.toContain('wr0ng-secret');
  });
});

describe('a Sentinel whose own address is among the servers', () => {
  it('is called what it is, and does not vote', async () => {
    await using servers = await group();
    const { host, port } = servers.sentinel;
    const { service } = await boot([`redis://:${PASSWORD}@${host}:${port}`]);
    await eventually(async () => (await service.health()).servers[0]?.state === 'refusing');
    const reason = 'is a Sentinel, which keeps no locks: give { sentinels, name } instead';
    expect((await service.health()).servers).toMatchObject([{ state: 'refusing', reason, warnings: [] }]);
  });
});
