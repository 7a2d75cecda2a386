import 'reflect-metadata';
import { setTimeout as pass } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Redis } from 'ioredis';
import { Redis as Redis5 } from 'ioredis5';
import { RedlockModule, RedlockService, type RedlockServer } from 'redlock-nestjs';
import { start, type Fleet } from '../support/fleet.js';
import { Contest } from './waiting/contest.js';
import type { Spell } from './waiting/waiter.interface.js';

async function boot(servers: RedlockServer[]): Promise<{ service: RedlockService; app: INestApplicationContext }> {
  @Module({ imports: [RedlockModule.forRoot(servers, { nodeTimeout: '5s' })] })
  class AppModule {}
  const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
  return { service: app.get(RedlockService), app };
}

async function withService<T>(servers: RedlockServer[], work: (service: RedlockService) => Promise<T>): Promise<T> {
  const { service, app } = await boot(servers);
  try {
    await service.withLock('warm-up', '1s', () => Promise.resolve());
    return await work(service);
  } finally {
    await app.close();
  }
}

/** How often the servers have carried out a command. */
async function countOf(fleet: Fleet, command: string): Promise<number> {
  const stats = await Promise.all(fleet.servers.map((server) => server.command('INFO', 'commandstats')));
  const counts = stats.join('\n').matchAll(/^cmdstat_(\S+):calls=(\d+)/gm);
  return [...counts].reduce((sum, [, name, calls]) => (name === command ? sum + Number(calls) : sum), 0);
}

/** Twenty waiters of one process, one after the other. Resolves to what came of it. */
async function queueOf20(
  service: RedlockService,
  fleet: Fleet,
  holdMs: number,
): Promise<{ order: number[]; commands: number }> {
  const before = await countOf(fleet, 'evalsha');
  const order: number[] = [];
  const all = Array.from({ length: 20 }, (_, index) =>
    service.withLock('queue', '10s', async () => {
      order.push(index);
      await pass(holdMs);
    }),
  );
  await Promise.all(all);
  return { order, commands: (await countOf(fleet, 'evalsha')) - before };
}

const IN_ORDER = Array.from({ length: 20 }, (_, index) => index);

let fleet: Fleet;
beforeAll(async () => {
  fleet = await start(3, { direct: true });
});
afterAll(() => fleet.stop());

describe('P14: 20 waiters of one process', () => {
  it('get the lock in order, and send no more commands when they wait five times as long', async () => {
    await withService(fleet.urls, async (service) => {
      const short = await queueOf20(service, fleet, 5);
      const long = await queueOf20(service, fleet, 25);
      expect([short.order, long.order]).toEqual([IN_ORDER, IN_ORDER]);
      // On each server one call a hand-over, which gives back and takes, and some to let other processes go first.
      for (const { commands } of [short, long]) expect(commands).toBeLessThanOrEqual(3 * 2 * 20);
    });
  });
});

/** How often each of twenty waiters, of four processes, wants the lock. `npm run test:long` has more. */
const ROUNDS = Number(process.env.REDLOCK_ROUNDS ?? 10);

/** For each grant, how many others were made between the question for it and the grant itself. */
function passedOver(spells: readonly Spell[]): number[] {
  return spells.map(
    ({ askedAtMs, grantedAtMs }) =>
      spells.filter((other) => other.grantedAtMs > askedAtMs && other.grantedAtMs < grantedAtMs).length,
  );
}

describe('P14: waiters of several processes', () => {
  let distant: Fleet;
  let contest: Contest;
  beforeAll(async () => {
    distant = await start(3);
    contest = await Contest.begin(distant);
  });
  afterAll(async () => {
    await contest.end();
    await distant.stop();
  });

  // How soon a free lock is taken is measured by `npm run bench:waiting`.
  it.each([0, 20])(
    '4 of 5 waiters each, with %i ms to the servers: one has the lock at a time, and none is passed over for long',
    async (slowMs) => {
      await Promise.all(distant.servers.map((server) => server.slow(slowMs)));
      const spells = await contest.work(ROUNDS);
      expect(spells).toHaveLength(4 * 5 * ROUNDS);
      const gaps = spells.slice(1).map(({ grantedAtMs }, index) => grantedAtMs - spells[index]!.releasedAtMs);
      expect(Math.min(...gaps)).toBeGreaterThan(0); // P1
      // Each of the other 19 once is what a single queue would do.
      expect(Math.max(...passedOver(spells))).toBeLessThan(5 * 19);
    },
    60_000 + ROUNDS * 2_000,
  );

  it('are woken by the release over own connections and given clients, and send nothing until then', async () => {
    const ways: ((url: string) => RedlockServer)[] = [
      (url) => url,
      (url) => new Redis(url),
      (url) => new Redis5(url),
      (url) => new Redis(url, { keyPrefix: 'app:' }),
    ];
    const boots = ways.map(async (connect) => {
      const clients: { disconnect(): void }[] = [];
      const replica = async (): ReturnType<typeof boot> => {
        const servers = fleet.urls.map(connect);
        for (const server of servers) if (server instanceof Redis || server instanceof Redis5) clients.push(server);
        return await boot(servers);
      };
      return { clients, one: await replica(), other: await replica() };
    });
    const pairs = await Promise.all(boots);
    const held = await Promise.all(pairs.map(({ one }, index) => one.service.acquire(`woken ${index}`, '60s')));
    const before = await countOf(fleet, 'evalsha');
    // What is left of the ttl would wake them later than their wait is over.
    const waiting = pairs.map(({ other }, index) => other.service.acquire(`woken ${index}`, '60s', { wait: '30s' }));
    await pass(1500);
    // Each asks the three servers at first, and once more when it listens, whenever that is.
    expect((await countOf(fleet, 'evalsha')) - before).toBeLessThanOrEqual(pairs.length * 2 * 3);
    const releasedAtMs = performance.now();
    await Promise.all(held.map((lock) => lock.release()));
    await Promise.all(waiting.map(async (lock) => (await lock).release()));
    expect(performance.now() - releasedAtMs).toBeLessThan(10_000);
    for (const { clients, one, other } of pairs) {
      await Promise.all([one.app.close(), other.app.close()]);
      for (const client of clients) client.disconnect();
    }
  });

  it('ask from time to time where the servers let nobody listen, and get the lock', async () => {
    for (const server of fleet.servers) {
      await server.command(
        'ACL',
        'SETUSER',
        'deaf',
        'on',
        'nopass',
        '~*',
        '+@all',
        '-subscribe',
        '-publish',
        'resetchannels',
      );
    }
    const urls = fleet.urls.map((url) => url.replace('redis://', 'redis://deaf:none@'));
    await withService(urls, async (one) => {
      await withService(urls, async (other) => {
        const lock = await one.acquire('k', '60s');
        const waiting = other.acquire('k', '60s', { wait: '30s' });
        await pass(500);
        await lock.release();
        await (await waiting).release();
      });
    });
  });
});

describe('P14: nobody waits for ghosts', () => {
  const strangers: [string, (fleet: Fleet) => Promise<{ end(): Promise<void> }>][] = [
    [
      'a lock of the same name in another database',
      async ({ urls }) => {
        const { service, app } = await boot(urls.map((url) => `${url}/1`));
        await service.acquire('k', '60s');
        const waiting = service.acquire('k', '60s', { wait: '60s' }).catch(() => undefined);
        const other = await boot(urls.map((url) => `${url}/1`));
        const listening = other.service.acquire('k', '60s', { wait: '60s' }).catch(() => undefined);
        await pass(200);
        return {
          end: async () => {
            await Promise.all([app.close(), other.app.close(), waiting, listening]);
          },
        };
      },
    ],
    [
      'a monitor that has subscribed to everything',
      async ({ urls }) => {
        const monitors = urls.map((url) => new Redis(url));
        await Promise.all(monitors.map((monitor) => monitor.psubscribe('*')));
        return {
          end: () => {
            for (const monitor of monitors) monitor.disconnect();
            return Promise.resolve();
          },
        };
      },
    ],
  ];

  it.each(strangers)('in %s', async (_, appear) => {
    const stranger = await appear(fleet);
    await withService(fleet.urls, async (service) => {
      const before = await countOf(fleet, 'subscribe');
      for (let round = 0; round < 20; round++) await service.withLock('k', '10s', () => Promise.resolve());
      // To wait for somebody else's turn it would have to listen for the end of it.
      expect(await countOf(fleet, 'subscribe')).toBe(before);
    });
    await stranger.end();
  });

  it('P15: and others are told when an application closes that has the lock and a waiter of its own', async () => {
    await withService(fleet.urls, async (other) => {
      const { service, app } = await boot(fleet.urls);
      await service.acquire('k', '30s');
      const beside = service.acquire('k', '30s', { wait: '60s' }).catch((error: unknown) => error);
      const waiting = other.acquire('k', '30s', { wait: '60s' });
      await pass(300);
      const startedAt = performance.now();
      await app.close();
      expect(await beside).toMatchObject({ code: 'SHUTDOWN' });
      await (await waiting).release();
      // The ttl of 30 s is what it would have to wait for otherwise.
      expect(performance.now() - startedAt).toBeLessThan(10_000);
    });
  });
});
