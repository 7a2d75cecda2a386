import 'reflect-metadata';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { RedlockModule, RedlockService, type RedlockOptions } from 'redlock-nestjs';
import { CollectingLogger } from '../support/collecting-logger.js';
import { eventually } from '../support/eventually.js';
import { start, type Fleet, type FleetServer } from '../support/fleet.js';

const apps: INestApplicationContext[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

interface Replica {
  readonly service: RedlockService;
  readonly logger: CollectingLogger;
}

async function boot(fleet: Fleet, options: RedlockOptions = {}): Promise<Replica> {
  @Module({ imports: [RedlockModule.forRoot(fleet.urls, options)] })
  class AppModule {}
  const logger = new CollectingLogger();
  const app = await NestFactory.createApplicationContext(AppModule, { logger });
  apps.push(app);
  return { service: app.get(RedlockService), logger };
}

/** Connected to all of them, and so a witness of what happens next. */
async function connect(fleet: Fleet, options: RedlockOptions = {}): Promise<Replica> {
  const { service, logger } = await boot(fleet, options);
  await service.withLock('warm-up', '1s', () =>
    eventually(async () => (await carriers(fleet, 'warm-up')) === fleet.servers.length),
  );
  return { service, logger };
}

async function carriers(fleet: Fleet, key: string): Promise<number> {
  const keys = await Promise.all(
    fleet.servers.map((server) => (server.running ? server.keys(`redlock:${key}`) : Promise.resolve([]))),
  );
  return keys.flat().length;
}

describe('P12: a server that comes back without its data', () => {
  it.each([
    ['witnessed', 1],
    ['off', 2],
  ] as const)('with restartGuard %s there can be %i holders', async (restartGuard, holders) => {
    await using fleet = await start(3);
    const options = { restartGuard, nodeTimeout: 200 } as const;
    const [first, second] = [await connect(fleet, options), await connect(fleet, options)];
    expect(await holdersAfterALoss(fleet, first.service, () => Promise.resolve(second.service), '20s')).toBe(holders);
  });

  it.each(['witnessed', 'strict'] as const)(
    'with restartGuard %s and a process that starts when a witness has seen it, there is one holder',
    async (restartGuard) => {
      await using fleet = await start(3);
      const options = { restartGuard, nodeTimeout: 200 } as const;
      const first = await connect(fleet, options);
      const late = async (): Promise<RedlockService> => {
        await eventually(() => first.logger.problems.some((problem) => problem.includes('it is quarantined')));
        return (await boot(fleet, options)).service;
      };
      expect(await holdersAfterALoss(fleet, first.service, late, '3s')).toBe(1);
    },
  );

  it('a process that starts after a flush, and asks before any witness, lets a second holder in', async () => {
    await using fleet = await start(3);
    const options = { nodeTimeout: 200 } as const;
    const { service: idle } = await connect(fleet, options);
    await fleet.servers[2]!.kill();
    const lock = await idle.acquire('k', '20s', { autoExtend: false });
    await fleet.servers[1]!.command('FLUSHALL');
    await fleet.servers[2]!.restart({ data: true });
    const stolen = await (await boot(fleet, options)).service.acquire('k', '20s', { wait: '5s' });
    expect([lock.isHeld(), stolen.isHeld()]).toEqual([true, true]);
  });

  /** A majority of two has the lock, one of the two forgets it, and the third comes back. */
  async function holdersAfterALoss(
    fleet: Fleet,
    first: RedlockService,
    second: () => Promise<RedlockService>,
    ttl: string,
  ): Promise<number> {
    await fleet.servers[2]!.kill();
    const lock = await first.acquire('k', ttl);
    await fleet.servers[1]!.restart({ data: false });
    await fleet.servers[2]!.restart({ data: true });
    const other = await second();
    // Until it is connected to all of them again.
    await eventually(async () => {
      await other.tryAcquire('probe', '5ms').catch(() => undefined);
      const lists = await Promise.all(fleet.servers.map((server) => server.command('CLIENT', 'LIST')));
      return lists.every((list) => String(list).includes('cmd=eval'));
    });
    const stolen = await other.tryAcquire('k', ttl).catch(() => null);
    return [lock, stolen].filter((each) => each?.isHeld()).length;
  }

  it('a process that starts after a witness has seen the loss does not get its vote until the quarantine is over', async () => {
    await using fleet = await start(3);
    const options = { nodeTimeout: 200 } as const;
    const { service: witness } = await connect(fleet, options);
    await fleet.servers[2]!.kill();
    const lock = await witness.acquire('k', '3s', { autoExtend: false });
    await fleet.servers[1]!.command('FLUSHALL');
    await expect(witness.tryAcquire('other', '3s')).rejects.toMatchObject({ code: 'QUORUM_UNREACHABLE' });
    await fleet.servers[2]!.restart({ data: true });

    const { service: newcomer, logger } = await boot(fleet, options);
    const granted = await newcomer.acquire('k', '3s', { wait: '10s' });
    expect(lock.isHeld()).toBe(false);
    expect(logger.problems).toContainEqual(expect.stringContaining('it is quarantined'));
    await granted.release();
  });

  it.each(['no', 'yes'])(
    'one after another, each as soon as health() calls the last one ready, all vote for a lock that is rarely used: appendonly %s',
    async (appendonly) => {
      await using fleet = await start(3, { args: ['--appendonly', appendonly] });
      // Back within the second in which what was forgotten still matters.
      const { service, logger } = await connect(fleet, { reconnectDelay: 20, maxReconnectDelay: 50 });
      const quarantined = (): string[] => logger.problems.filter((problem) => problem.includes('it is quarantined'));
      await service.withLock('rare', '1s', () => Promise.resolve());
      for (const [index, server] of fleet.servers.entries()) {
        await server.restart({ data: false });
        await eventually(() => quarantined().length > index);
        await eventually(async () => (await service.health()).servers.every(({ state }) => state === 'ready'));
      }
      await service.withLock('rare', '1s', () => Promise.resolve(), { wait: 0 });
      expect((await service.health()).servers.map(({ state }) => state)).toEqual(['ready', 'ready', 'ready']);
      expect(quarantined()).toHaveLength(3);
    },
  );

  it('one that has its data again, and was seen while it read them, votes at once', async () => {
    // It sleeps before each key that it reads, for seconds in all, and answers INFO between them.
    await using fleet = await start(3, { direct: true, args: ['--key-load-delay', '400'] });
    const { service, logger } = await connect(fleet, { nodeTimeout: 200, reconnectDelay: 20, maxReconnectDelay: 50 });
    const [back, killed] = fleet.servers as [FleetServer, FleetServer];
    await back.command('EVAL', 'for i = 1, 8000 do redis.call("set", i, "") end', '0');
    const restarted = back.restart({ data: true });
    await eventually(async () => (await service.health()).servers.some(({ reason }) => reason?.includes('LOADING')));
    await restarted;
    await eventually(async () => (await service.health()).servers.every(({ state }) => state === 'ready'));
    await killed.kill();
    await service.withLock('k', '1s', () => Promise.resolve());
    expect(logger.problems).not.toContainEqual(expect.stringMatching(/quarantined|append-only/));
  });

  it('a flush is seen although no connection has broken', async () => {
    await using fleet = await start(3);
    const [first, second] = [await connect(fleet), await connect(fleet)];
    const lock = await first.service.acquire('k', '20s');
    await eventually(async () => (await carriers(fleet, 'k')) === 3);
    for (const server of fleet.servers.slice(0, 2)) await server.command('FLUSHALL');
    await expect(second.service.acquire('k', '20s', { wait: 0 })).rejects.toMatchObject({
      code: 'QUORUM_UNREACHABLE',
      message: expect.stringMatching(/lost its data|quarantined/),
    });
    expect(second.logger.problems).toEqual([
      expect.stringContaining('it is quarantined'),
      expect.stringContaining('it is quarantined'),
      expect.stringContaining('The quorum is lost'),
    ]);
    expect(lock.isHeld()).toBe(true);
  });

  it('a rolling restart of all five, one every 2 s, under a lock of 3 s: never lost, no second holder, healed at the end', async () => {
    await using fleet = await start(5);
    const [first, second] = [await connect(fleet), await connect(fleet)];
    let others = 0;
    const over = new AbortController();
    const isOver = (): boolean => over.signal.aborted;
    const contend = async (): Promise<void> => {
      while (!isOver()) {
        const lock = await second.service.tryAcquire('k', '3s').catch(() => null);
        if (lock !== null && !isOver()) others++; // Afterwards the lock is free to take.
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    let contender = Promise.resolve();
    const held = first.service.withLock('k', '3s', async (lock) => {
      contender = contend();
      for (const server of fleet.servers) {
        await server.restart({ data: false });
        await new Promise((resolve) => setTimeout(resolve, 2000));
        expect(lock.isHeld()).toBe(true);
      }
      await eventually(async () => (await carriers(fleet, 'k')) === 5);
      expect(others).toBe(0);
      over.abort();
    });
    await held.finally(() => {
      over.abort();
    });
    await contender;
    expect(others).toBe(0);
  });
});

describe('P13: one server is one vote', () => {
  it('a server that is listed twice, also by an alias, has one vote, and is reported', async () => {
    await using fleet = await start(2);
    const [first, second] = fleet.urls as [string, string];
    const aliased = {
      ...fleet,
      urls: [first, first.replace('127.0.0.1', 'localhost'), second],
      servers: fleet.servers,
    };
    const { service, logger } = await connect(aliased);
    await eventually(() => logger.problems.some((line) => line.includes('is the same server as')));
    await fleet.servers[1]!.pause();
    await expect(service.acquire('k', '2s', { wait: 0 })).rejects.toMatchObject({
      code: 'QUORUM_UNREACHABLE',
      message: expect.stringContaining('listed twice'),
    });
  });

  it('a replica does not vote, and eviction is reported', async () => {
    await using fleet = await start(3, { args: ['--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru'] });
    await fleet.servers[2]!.command('REPLICAOF', '127.0.0.1', String(fleet.servers[0]!.port));
    @Module({ imports: [RedlockModule.forRoot(fleet.urls)] })
    class AppModule {}
    const logger = new CollectingLogger();
    const app = await NestFactory.createApplicationContext(AppModule, { logger });
    apps.push(app);
    const service = app.get(RedlockService);
    await service.withLock('k', '5s', () => Promise.resolve());
    await eventually(() => logger.problems.filter((line) => line.includes('allkeys-lru')).length === 3);
    expect(logger.problems.filter((line) => line.includes('is a replica'))).toHaveLength(1);
  });
});
