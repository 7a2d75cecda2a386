import 'reflect-metadata';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Injectable, Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Interval, ScheduleModule } from '@nestjs/schedule';
import { Redis } from 'ioredis';
import {
  LockLostError,
  RedlockModule,
  RedlockService,
  RedlockShutdownError,
  WithLock,
  type RedlockModuleOptions,
} from 'redlock-nestjs';
import { CollectingLogger } from '../support/collecting-logger.js';
import { eventually } from '../support/eventually.js';
import { forgetLocks } from '../support/forget-locks.js';
import { start, type Fleet } from '../support/fleet.js';

let fleet: Fleet;
beforeAll(async () => {
  fleet = await start(3);
});
afterAll(() => fleet.stop());
afterEach(async () => {
  await forgetLocks(fleet.servers);
});

async function boot(
  options: Partial<RedlockModuleOptions> = {},
): Promise<{ app: INestApplicationContext; service: RedlockService; logger: CollectingLogger }> {
  @Module({ imports: [RedlockModule.forRoot({ servers: fleet.urls, ...options })] })
  class AppModule {}
  const logger = new CollectingLogger();
  const app = await NestFactory.createApplicationContext(AppModule, { logger });
  return { app, service: app.get(RedlockService), logger };
}

async function keys(): Promise<string[]> {
  return (await Promise.all(fleet.servers.map((server) => server.keys('redlock:*')))).flat();
}

async function clients(): Promise<number> {
  const lists = await Promise.all(fleet.servers.map((server) => server.command('CLIENT', 'LIST')));
  return lists.map((list) => String(list).trim().split('\n').length - 1).reduce((sum, count) => sum + count, 0);
}

describe('P15: shutdown', () => {
  it('waits for the locked work in flight, releases its locks and closes the connections', async () => {
    const { app, service, logger } = await boot();
    let finish: (() => void) | undefined;
    const work = service.withLock('k', '5s', () => new Promise<string>((resolve) => (finish = () => resolve('done'))));
    await eventually(() => finish !== undefined);
    let closed = false;
    const closing = app.close().then(() => (closed = true));
    await eventually(() => Promise.resolve(!closed));
    expect((await keys()).length).toBeGreaterThan(0);
    finish?.();
    expect(await work).toBe('done');
    await closing;
    expect(await keys()).toEqual([]);
    await eventually(async () => (await clients()) === 0);
    expect(logger.problems).toEqual([]);
  });

  it('aborts the signal of work that takes longer than shutdownTimeout, and releases its lock', async () => {
    const { app, service, logger } = await boot({ shutdownTimeout: 300 });
    let reason: unknown;
    const work = service.withLock('k', '60s', async ({ signal }) => {
      await new Promise((resolve) => {
        signal.addEventListener('abort', resolve);
      });
      reason = signal.reason;
    });
    const outcome = work.catch((error: unknown) => error);
    await eventually(async () => (await keys()).length > 0);
    const startedAt = performance.now();
    await app.close();
    expect(performance.now() - startedAt).toBeLessThan(8_000);
    expect(reason).toMatchObject({ code: 'LOCK_LOST', reason: 'shutdown' });
    expect(await outcome).toBeInstanceOf(LockLostError);
    await eventually(async () => (await keys()).length === 0);
    expect(logger.problems).toEqual([expect.stringMatching(/waited 300 ms/)]);
  });

  it('begins no scheduled run any more while it waits for the work in flight', async () => {
    const runs: string[] = [];
    let finish: (() => void) | undefined;
    @Injectable()
    class Jobs {
      @Interval(50)
      @WithLock('often', '1s', { minHold: 0 })
      often(): Promise<void> {
        runs.push('often');
        return Promise.resolve();
      }
      @WithLock('long', '5s')
      long(): Promise<void> {
        return new Promise((resolve) => (finish = resolve));
      }
    }
    @Module({ imports: [RedlockModule.forRoot(fleet.urls), ScheduleModule.forRoot()], providers: [Jobs] })
    class AppModule {}
    const logger = new CollectingLogger();
    const app = await NestFactory.createApplicationContext(AppModule, { logger });
    void app.get(Jobs).long();
    await eventually(() => finish !== undefined && runs.length >= 2);
    const closing = app.close();
    await new Promise((resolve) => setTimeout(resolve, 20));
    const begun = runs.length;
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(runs.length).toBe(begun);
    finish?.();
    await closing;
    expect(logger.problems).toEqual([]);
  });

  it('ends the waiting for locks, and gives out no more', async () => {
    const { app, service } = await boot();
    const other = await boot();
    const lock = await other.service.acquire('k', '60s');
    const waiting = service.acquire('k', '5s', { wait: '60s' }).catch((error: unknown) => error);
    await app.close();
    expect(await waiting).toBeInstanceOf(RedlockShutdownError);
    await expect(service.acquire('other', '5s')).rejects.toBeInstanceOf(RedlockShutdownError);
    await lock.release();
    await other.app.close();
  });

  it('releases locks that nobody has released', async () => {
    const { app, service } = await boot();
    const lock = await service.acquire('k', '60s');
    await app.close();
    expect(lock.signal.reason).toMatchObject({ reason: 'shutdown' });
    await eventually(async () => (await keys()).length === 0);
  });

  it('P11: leaves nothing of what is under way, also when the servers are slow', async () => {
    for (const verb of ['acquire', 'withLock'] as const) {
      const { app, service } = await boot({ shutdownTimeout: 30 });
      await service.withLock('warm-up', '5s', () => Promise.resolve());
      for (const server of fleet.servers) await server.slow(100);
      const asked =
        verb === 'acquire' ? service.acquire('k', '5m') : service.withLock('k', '5m', () => Promise.resolve());
      const outcome = asked.catch((error: unknown) => error);
      await eventually(() => service.health().then(() => true));
      await app.close();
      await outcome;
      for (const server of fleet.servers) await server.slow(0);
      await eventually(async () => (await keys()).length === 0);
    }
  });

  it('is quick while servers are away', async () => {
    const { app, service } = await boot();
    await service.acquire('k', '60s');
    for (const server of fleet.servers) await server.pause();
    const startedAt = performance.now();
    await app.close();
    expect(performance.now() - startedAt).toBeLessThan(8_000);
    for (const server of fleet.servers) await server.resume();
  });

  it('neither closes nor changes a client that it was given', async () => {
    const given = fleet.urls.map((url) => new Redis(url));
    const listeners = given.map((client) => client.eventNames().map((event) => [event, client.listenerCount(event)]));
    const { app, service } = await boot({ servers: given });
    expect(await service.withLock('k', '5s', () => Promise.resolve(1))).toBe(1);
    await app.close();
    expect(await Promise.all(given.map((client) => client.ping()))).toEqual(['PONG', 'PONG', 'PONG']);
    expect(given.map((client) => client.eventNames().map((event) => [event, client.listenerCount(event)]))).toEqual(
      listeners,
    );
    for (const client of given) client.disconnect();
  });
});
