import 'reflect-metadata';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Injectable, Module, type INestApplicationContext, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  InvalidOptionsError,
  LockContendedError,
  QuorumUnreachableError,
  RedlockModule,
  RedlockService,
  RedlockShutdownError,
  WithLock,
  type RedlockModuleOptions,
  type RedlockServer,
} from 'redlock-nestjs';
import { shardIdentity, shardOf } from '../../lib/core/shard.js';
import { CollectingLogger } from '../support/collecting-logger.js';
import { eventually } from '../support/eventually.js';
import { start, type Fleet, type FleetServer } from '../support/fleet.js';

interface Group {
  readonly servers: readonly FleetServer[];
  readonly urls: string[];
  readonly hosts: string[];
  /** Three keys that belong to it. */
  keys: [string, string, string];
}

const NODE_TIMEOUT_MS = 1500;

let fleet: Fleet;
let groups: Group[];
beforeAll(async () => {
  fleet = await start(9);
  groups = [0, 3, 6].map((first) => {
    const servers = fleet.servers.slice(first, first + 3);
    const urls = servers.map(({ url }) => url);
    return { servers, urls, hosts: urls.map((url) => new URL(url).host), keys: ['', '', ''] };
  });
  const identities = groups.map(({ hosts }) => shardIdentity(hosts));
  const candidates = Array.from({ length: 1000 }, (_, index) => `key-${1000 + index}`);
  for (const [index, group] of groups.entries()) {
    const [first, second, third] = candidates.filter((key) => shardOf(key, identities) === index);
    group.keys = [first!, second!, third!];
  }
});
afterAll(() => fleet.stop());

const apps: INestApplicationContext[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
  await Promise.all(
    fleet.servers.map(async (server) => {
      if (server.running) await server.resume();
      else await server.restart();
      await server.slow(0);
      await server.command('FLUSHALL');
    }),
  );
});

async function boot(
  options: Partial<RedlockModuleOptions> = {},
  providers: Type[] = [],
): Promise<{ app: INestApplicationContext; service: RedlockService; logger: CollectingLogger }> {
  const shards = groups.map(({ urls }): RedlockServer[] => urls);
  @Module({ imports: [RedlockModule.forRoot({ shards, ...options } as RedlockModuleOptions)], providers })
  class AppModule {}
  const logger = new CollectingLogger();
  const app = await NestFactory.createApplicationContext(AppModule, { logger, abortOnError: false });
  apps.push(app);
  return { app, service: app.get(RedlockService), logger };
}

const others = (group: Group): Group[] => groups.filter((each) => each !== group);

async function keysOn({ servers }: Pick<Group, 'servers'>, pattern = 'redlock:*'): Promise<string[]> {
  return (await Promise.all(servers.map((server) => server.keys(pattern)))).flat();
}

async function allReady(service: RedlockService): Promise<void> {
  await eventually(async () => (await service.health()).servers.every(({ state }) => state === 'ready'));
}

describe('shards', () => {
  let service: RedlockService;
  beforeEach(async () => {
    ({ service } = await boot({ nodeTimeout: NODE_TIMEOUT_MS }));
    await allReady(service);
  });

  it('a lock lies on the servers of one shard, with its counter, its tick and the register of its job', async () => {
    for (const group of groups) {
      const [key] = group.keys;
      await service.withLock(
        key,
        '5s',
        async ({ fencingToken }) => {
          expect(fencingToken).toBeGreaterThan(0);
          await eventually(async () => (await keysOn(group, `*${key}*`)).length === 3 * 4);
          for (const other of others(group)) expect(await keysOn(other, `*${key}*`)).toEqual([]);
        },
        { tick: 1 },
      );
    }
  });

  it.each([0, 1, 2])('each shard fails alone, and the errors name only its servers: shard %i', async (index) => {
    const group = groups[index]!;
    const held = await Promise.all(others(group).map(({ keys }) => service.acquire(keys[0], '30s')));
    await Promise.all(group.servers.map((server) => server.kill()));

    for (const lock of held) {
      await lock.extend();
      expect(await service.tryAcquire(lock.keys[0]!, '5s')).toBeNull();
      await lock.release();
    }
    for (const { keys } of others(group)) await (await service.acquire(keys[1], '5s', { wait: 0 })).release();

    for (const verb of ['acquire', 'tryAcquire'] as const) {
      const error = await service[verb](group.keys[0], '5s', { wait: 0 }).catch((cause: unknown) => cause);
      expect(error).toBeInstanceOf(QuorumUnreachableError);
      const { message, votes } = error as QuorumUnreachableError;
      expect(votes.map(({ server }) => server).toSorted()).toEqual(group.hosts.toSorted());
      expect(group.hosts.filter((host) => message.includes(host)).length).toBeGreaterThanOrEqual(2);
      expect(fleet.servers.filter(({ port }) => message.includes(`:${port}`)).length).toBeLessThanOrEqual(3);
    }

    await Promise.all(group.servers.map((server) => server.restart()));
    expect(await service.withLock(group.keys[0], '5s', () => Promise.resolve('works again'))).toBe('works again');
  });

  it('P4, P5: a shard of which all servers are silent adds nothing to the verbs on the others', async () => {
    const [silent, ...answering] = groups as [Group, ...Group[]];
    for (const server of silent.servers) await server.pause();
    const timed = async (call: () => Promise<unknown>): Promise<number> => {
      const startedAt = performance.now();
      await call();
      return performance.now() - startedAt;
    };
    const refused = timed(() => expect(service.acquire(silent.keys[0], '60s', { wait: 0 })).rejects.toThrow(/1500 ms/));
    for (const { keys } of answering) {
      const lock = await service.acquire(keys[0], '60s', { wait: 0 });
      // Whoever asks a silent server takes at least the node timeout.
      for (const verb of [
        (): Promise<unknown> => service.acquire(keys[1], '60s', { wait: 0 }),
        (): Promise<unknown> =>
          expect(service.acquire(keys[0], '60s', { wait: 0 })).rejects.toThrow(LockContendedError),
        (): Promise<unknown> => lock.extend(),
        (): Promise<unknown> => service.inspect(keys[0]),
        (): Promise<unknown> => lock.release(),
      ]) {
        expect(await timed(verb)).toBeLessThan(NODE_TIMEOUT_MS);
      }
    }
    expect(await refused).toBeGreaterThanOrEqual(0.9 * NODE_TIMEOUT_MS);
  });

  it('P1: replicas that list shards and servers in another order exclude each other', async () => {
    const shards = groups.map(({ urls }): RedlockServer[] => urls.toReversed()).toReversed();
    const { service: other } = await boot({ shards });
    for (const key of groups.flatMap(({ keys }) => keys)) {
      const lock = await service.acquire(key, '5s');
      expect(await other.tryAcquire(key, '5s')).toBeNull();
      await lock.release();
      const next = await other.acquire(key, '5s');
      expect(next.fencingToken).toBeGreaterThan(lock.fencingToken);
      await next.release();
    }
  });

  it('P16: several keys of different shards are refused before anything is sent', async () => {
    const commands = async (): Promise<string[]> => {
      const stats = await Promise.all(fleet.servers.map((server) => server.command('INFO', 'commandstats')));
      return stats.map((text) => /cmdstat_evalsha?:calls=\d+/.exec(String(text))?.[0] ?? 'none');
    };
    const before = await commands();
    const keys = [groups[1]!.keys[0], groups[1]!.keys[1], groups[2]!.keys[0]];
    for (const call of [
      (): Promise<unknown> => service.acquire(keys, '5s'),
      (): Promise<unknown> => service.tryAcquire(keys, '5s'),
      (): Promise<unknown> => service.withLock(keys, '5s', () => Promise.resolve(), { onContended: 'skip' }),
    ]) {
      const error = await call().catch((cause: unknown) => cause);
      expect(error).toBeInstanceOf(InvalidOptionsError);
      expect(error).toMatchObject({
        option: 'key',
        message: expect.stringMatching(`^key: "${keys[0]}" and "${keys[2]}" belong to different shards.*hash tag`),
      });
    }
    expect(await commands()).toEqual(before);
    expect(await keysOn(fleet)).toEqual([]);
  });

  it('several keys of one shard are one lock, and a hash tag brings keys together', async () => {
    for (const keys of [
      [groups[0]!.keys[0], groups[0]!.keys[1]],
      ['{42}order', '{42}stock', '42'],
    ]) {
      await service.withLock(keys, '5s', async () => {
        for (const key of keys) expect(await service.tryAcquire(key, '5s')).toBeNull();
      });
    }
  });

  it('inspect and forceRelease go to the shard of the key', async () => {
    for (const group of groups) {
      const [key] = group.keys;
      const lock = await service.acquire(key, '30s');
      const inspection = await service.inspect(key);
      expect(inspection.held).toBe(true);
      expect(inspection.servers.map(({ server }) => server)).toEqual(group.hosts);
      expect(await service.forceRelease(key)).toBe(true);
      expect(lock.signal.aborted).toBe(true);
      expect((await service.inspect(key)).held).toBe(false);
      expect(await service.forceRelease(key)).toBe(false);
    }
  });

  it('health has a quorum when each shard has one, and tells which servers are in which', async () => {
    const healthy = await service.health();
    expect(healthy.quorum).toBe(true);
    expect(healthy.shards).toEqual(groups.map(({ hosts }) => ({ quorum: true, voting: 3, needed: 2, servers: hosts })));
    expect(healthy.servers.map(({ server, shard }) => [shard, server])).toEqual(
      groups.flatMap(({ hosts }, shard) => hosts.map((host) => [shard, host])),
    );

    const [one, other] = groups[1]!.servers;
    await one!.kill();
    await eventually(async () => (await service.health()).servers[3]?.state === 'down');
    expect(await service.health()).toMatchObject({ quorum: true, shards: [{}, { quorum: true }, {}] });
    await other!.kill();
    await eventually(async () => (await service.health()).servers[4]?.state === 'down');
    expect(await service.health()).toMatchObject({
      quorum: false,
      shards: [{ quorum: true }, { quorum: false }, { quorum: true }],
    });
    await one!.restart();
    await other!.restart();
    await eventually(async () => (await service.health()).quorum);
  });

  it('health says nothing of shards where the option was servers', async () => {
    const plain = (await boot({ servers: fleet.urls, shards: undefined })).service;
    await allReady(plain);
    const health = await plain.health();
    expect(health).not.toHaveProperty('shards');
    for (const server of health.servers) expect(server).not.toHaveProperty('shard');
  });

  it('P13: a server that is in two shards, by an alias, is reported and has one vote', async () => {
    const [shared] = groups[0]!.servers;
    const shards = [groups[0]!.urls, [`localhost:${shared!.port}`, ...groups[1]!.urls]];
    const { service: twice, logger } = await boot({ shards });
    await eventually(() => logger.problems.some((line) => line.includes('listed twice')));
    const { servers } = await twice.health();
    const twins = servers.filter(({ server }) => server.endsWith(`:${shared!.port}`));
    expect(twins.map(({ state }) => state).toSorted()).toEqual(['down', 'ready']);
    expect(twins.map(({ shard }) => shard)).toEqual([0, 1]);
  });
});

describe('P15: shutdown of several shards', () => {
  async function clients(): Promise<number> {
    const lists = await Promise.all(fleet.servers.map((server) => server.command('CLIENT', 'LIST')));
    return lists.map((list) => String(list).trim().split('\n').length - 1).reduce((sum, count) => sum + count, 0);
  }

  it('releases the locks and closes the connections of each', async () => {
    const { app, service, logger } = await boot();
    const locks = await Promise.all(groups.map(({ keys }) => service.acquire(keys[0], '60s')));
    expect(new Set((await keysOn(fleet)).map((key) => key.replace('redlock:', '')))).toEqual(
      new Set(locks.flatMap(({ keys }) => keys)),
    );
    await app.close();
    for (const lock of locks) expect(lock.signal.reason).toMatchObject({ reason: 'shutdown' });
    expect(await keysOn(fleet)).toEqual([]);
    await eventually(async () => (await clients()) === 0);
    expect(logger.problems).toEqual([]);
    for (const { keys } of groups) {
      await expect(service.acquire(keys[0], '5s')).rejects.toBeInstanceOf(RedlockShutdownError);
    }
  });

  it.each([0, 1, 2])('P11: leaves nothing of what is under way in a slow one: shard %i', async (index) => {
    // With one round trip at a time the undo must wait for the answer of the acquire.
    const { app, service } = await boot({ shutdownTimeout: 30, maxConcurrency: 1 });
    await allReady(service);
    const { servers, keys } = groups[index]!;
    for (const server of servers) await server.slow(100);
    const asked = service.acquire(keys[0], '5m').catch((error: unknown) => error);
    await eventually(async () => (await keysOn({ servers })).length === 3);
    await app.close();
    await asked;
    for (const server of servers) await server.slow(0);
    await eventually(async () => (await keysOn({ servers })).length === 0);
  });
});

describe('P9: @WithLock on keys of different shards', () => {
  const hostOf = (key: string[] | (() => string[])): Type<{ both(): Promise<string> }> => {
    @Injectable()
    class Jobs {
      @WithLock(key, '5s')
      both(): Promise<string> {
        return Promise.resolve('ran');
      }
    }
    return Jobs;
  };

  it('fails the boot and names the method, where the keys are known', async () => {
    const error = await boot({}, [hostOf(groups.map(({ keys }) => keys[0]))]).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(InvalidOptionsError);
    expect((error as Error).message).toMatch(/^key: @WithLock cannot lock Jobs\.both: ".*" and ".*" belong to differ/);
  });

  it('rejects the call where a function gives them, and runs what has a hash tag', async () => {
    const Apart = hostOf(() => groups.map(({ keys }) => keys[0]));
    const Together = hostOf(['{42}order', '{42}stock']);
    const { app } = await boot({}, [Apart, Together]);
    await expect(app.get(Apart).both()).rejects.toMatchObject({ option: 'key' });
    expect(await app.get(Together).both()).toBe('ran');
  });
});
