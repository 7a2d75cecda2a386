import 'reflect-metadata';
import { setTimeout as pass } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Redis } from 'ioredis';
import { Redis as Redis5 } from 'ioredis5';
import { RedlockModule, RedlockService, type RedlockServer } from 'redlock-nestjs';
import { start, type Fleet } from '../support/fleet.js';
import { OwnProcess } from '../support/process.js';
import type { Spell, WaiterQuestion } from './waiting/waiter.interface.js';

const WAITER = new URL('waiting/waiter.ts', import.meta.url);

async function boot(servers: RedlockServer[]): Promise<{ service: RedlockService; app: INestApplicationContext }> {
  @Module({ imports: [RedlockModule.forRoot(servers)] })
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

/** How many commands the servers have carried out, but for those that ask for that. */
async function commands(fleet: Fleet): Promise<number> {
  const stats = await Promise.all(fleet.servers.map((server) => server.command('INFO', 'commandstats')));
  const counts = stats.join('\n').matchAll(/^cmdstat_(\S+):calls=(\d+)/gm);
  return [...counts].reduce((sum, [, name, calls]) => (name === 'evalsha' ? sum + Number(calls) : sum), 0);
}

/** Twenty waiters of one process, one after the other. Resolves to what came of it. */
async function queueOf20(
  service: RedlockService,
  fleet: Fleet,
  holdMs: number,
): Promise<{ order: number[]; tookMs: number; commands: number }> {
  const before = await commands(fleet);
  const startedAt = performance.now();
  const order: number[] = [];
  const all = Array.from({ length: 20 }, (_, index) =>
    service.withLock('queue', '10s', async () => {
      order.push(index);
      await pass(holdMs);
    }),
  );
  await Promise.all(all);
  return { order, tookMs: performance.now() - startedAt, commands: (await commands(fleet)) - before };
}

/** How many times as long as on a machine with nothing else to do it takes to wait for 5 ms, twenty times. */
async function busyness(): Promise<number> {
  const startedAt = performance.now();
  for (let round = 0; round < 20; round++) await pass(5);
  return (performance.now() - startedAt) / (20 * 5.5);
}

const IN_ORDER = Array.from({ length: 20 }, (_, index) => index);

const quantile = (values: readonly number[], part: number): number =>
  values.toSorted((one, other) => one - other)[Math.floor(values.length * part)] ?? NaN;

describe('P14: 20 waiters of one process', () => {
  it('of 5 ms each get the lock in order, in less than 250 ms', async () => {
    await using fleet = await start(3, { direct: true });
    await withService(fleet.urls, async (service) => {
      const busy = await busyness();
      const { order, tookMs } = await queueOf20(service, fleet, 5);
      expect(order).toEqual(IN_ORDER);
      expect(tookMs).toBeLessThan(250 * Math.max(1, busy, await busyness()));
    });
  });

  it('send no more commands when they wait ten times as long', async () => {
    await using fleet = await start(3, { direct: true });
    await withService(fleet.urls, async (service) => {
      const short = await queueOf20(service, fleet, 5);
      const long = await queueOf20(service, fleet, 50);
      expect(long.order).toEqual(IN_ORDER);
      expect(long.commands).toBeLessThanOrEqual(short.commands);
      // On each server: one call a hand-over, which gives back and takes, and at most one more now and then.
      expect(long.commands).toBeLessThanOrEqual(3 * (20 + 20 / 5 + 1));
    });
  });
});

describe('P14: waiters of several processes', () => {
  it.each([0, 20])(
    '4 of 5 waiters each, with %i ms to the servers: a free lock is taken within two trips, and none waits too long',
    async (slowMs) => {
      await using fleet = await start(3);
      const { spells, tripMs } = await contest(fleet, slowMs);
      expect(spells).toHaveLength(4 * 5 * ROUNDS);
      const gaps = spells.slice(1).map(({ grantedAtMs }, index) => grantedAtMs - spells[index]!.releasedAtMs);
      expect(Math.min(...gaps)).toBeGreaterThan(0); // P1
      expect(quantile(gaps, 0.5)).toBeLessThanOrEqual(2 * tripMs);
      const waits = spells.map(({ askedAtMs, grantedAtMs }) => grantedAtMs - askedAtMs);
      expect(Math.max(...waits)).toBeLessThan(3 * quantile(waits, 0.5));
    },
    60_000,
  );

  it.each([
    ['its own connections', (url: string) => url],
    ['given clients of ioredis 6', (url: string) => new Redis(url)],
    ['given clients of ioredis 5', (url: string) => new Redis5(url)],
    ['given clients with a prefix of their own', (url: string) => new Redis(url, { keyPrefix: 'app:' })],
  ])('are woken by the release over %s', async (_, connect) => {
    await using fleet = await start(3, { direct: true });
    const clients: { disconnect(): void }[] = [];
    const servers = (): RedlockServer[] =>
      fleet.urls.map((url) => {
        const server = connect(url);
        if (typeof server !== 'string') clients.push(server);
        return server;
      });
    await withService(servers(), async (one) => {
      await withService(servers(), async (other) => {
        const lock = await one.acquire('k', '60s');
        const waiting = other.acquire('k', '60s', { wait: '30s' });
        await pass(500);
        const before = await commands(fleet);
        await pass(1500);
        expect(await commands(fleet)).toBe(before);
        const releasedAt = performance.now();
        await lock.release();
        await (await waiting).release();
        expect(performance.now() - releasedAt).toBeLessThan(500);
      });
    });
    for (const client of clients) client.disconnect();
  });

  it('ask from time to time where the servers let nobody listen, and get the lock', async () => {
    await using fleet = await start(3, { direct: true });
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
    await using fleet = await start(3, { direct: true });
    const stranger = await appear(fleet);
    await withService(fleet.urls, async (service) => {
      const startedAt = performance.now();
      for (let round = 0; round < 20; round++) await service.withLock('k', '10s', () => Promise.resolve());
      expect(performance.now() - startedAt).toBeLessThan(500);
    });
    await stranger.end();
  });

  it('P15: and others are told when an application closes that has the lock and a waiter of its own', async () => {
    await using fleet = await start(3, { direct: true });
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
      expect(performance.now() - startedAt).toBeLessThan(1000);
    });
  });
});

const ROUNDS = 10;

/** Four processes of five waiters each, which want the same lock again and again. */
async function contest(fleet: Fleet, slowMs: number): Promise<{ spells: Spell[]; tripMs: number }> {
  const all = Array.from({ length: 4 }, () => new OwnProcess<WaiterQuestion, Spell[]>(WAITER));
  const { urls } = fleet;
  try {
    await Promise.all(all.map((each) => each.ask({ kind: 'boot', urls })));
    await Promise.all(fleet.servers.map((server) => server.slow(slowMs)));
    const answers = await Promise.all(all.map((each) => each.ask({ kind: 'work', urls, waiters: 5, rounds: ROUNDS })));
    // What a trip takes while others are at work, too: that of a grant which nobody contests.
    const trips = await Promise.all(all.map((each) => each.ask({ kind: 'alone', urls, rounds: 40 })));
    return {
      spells: answers.flat().sort((one, other) => one.grantedAtMs - other.grantedAtMs),
      tripMs: quantile(
        trips.flat().map(({ askedAtMs, grantedAtMs }) => grantedAtMs - askedAtMs),
        0.5,
      ),
    };
  } finally {
    await Promise.all(all.map((each) => each.stop()));
  }
}
