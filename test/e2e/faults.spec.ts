import 'reflect-metadata';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Injectable, Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Cron, ScheduleModule } from '@nestjs/schedule';
import {
  LockContendedError,
  LockLostError,
  QuorumUnreachableError,
  RedlockModule,
  RedlockService,
  WithLock,
  type RedlockOptions,
} from 'redlock-nestjs';
import { CollectingLogger } from '../support/collecting-logger.js';
import { eventually } from '../support/eventually.js';
import { forgetLocks } from '../support/forget-locks.js';
import { start, type Fleet } from '../support/fleet.js';

const apps: INestApplicationContext[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

async function connect(fleet: Fleet, options: RedlockOptions = {}): Promise<RedlockService> {
  @Module({ imports: [RedlockModule.forRoot(fleet.urls, options)] })
  class AppModule {}
  const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
  apps.push(app);
  const service = app.get(RedlockService);
  await service.withLock('warm-up', '5s', () => Promise.resolve());
  return service;
}

async function timed<T>(promise: Promise<T>): Promise<{ value?: T; error?: unknown; tookMs: number }> {
  const startedAt = performance.now();
  try {
    return { value: await promise, tookMs: performance.now() - startedAt };
  } catch (error) {
    return { error, tookMs: performance.now() - startedAt };
  }
}

function keysOf(fleet: Fleet): Promise<string[]> {
  return Promise.all(fleet.servers.map((server) => server.keys('redlock:*'))).then((keys) => keys.flat());
}

describe.each([2, 3, 4, 5])('with %i servers', (count) => {
  const minority = Math.ceil(count / 2) - 1;
  const blocking = count - Math.floor(count / 2);
  const nodeTimeout = 200;
  let fleet: Fleet;
  let service: RedlockService;
  beforeAll(async () => {
    fleet = await start(count);
  });
  afterAll(() => fleet.stop());
  beforeEach(async () => {
    // Half of the ttl is drift: so the signal aborts long before the ttl is over, also where timers are late.
    service = await connect(fleet, { nodeTimeout, driftFactor: 0.5 });
  });
  afterEach(async () => {
    for (const server of fleet.servers) await server.resume();
  });

  it('P4: a stalled minority adds nothing to acquire, extend and release', async () => {
    const patient = await connect(fleet, { nodeTimeout: '10s' });
    const stalled = fleet.servers.slice(0, minority);
    for (const server of stalled) await server.pause();
    for (let round = 0; round < 5; round++) {
      const { value, tookMs } = await timed(patient.acquire('k', '60s', { wait: 0 }));
      expect(tookMs).toBeLessThan(5_000);
      expect((await timed(value!.extend())).tookMs).toBeLessThan(5_000);
      expect((await timed(value!.release())).tookMs).toBeLessThan(5_000);
    }
    for (const server of stalled) await server.resume();
    await eventually(async () => (await keysOf(fleet)).length === 0);
  });

  it('P5: without a majority every verb rejects within the node timeout, with each reason, and nothing is left', async () => {
    const held = await service.acquire('held', '30s');
    await eventually(async () => (await keysOf(fleet)).length === count);
    const stalled = fleet.servers.slice(0, blocking);
    for (const server of stalled) await server.pause();
    for (const [verb, call] of [
      ['acquire', (): Promise<unknown> => service.acquire('k', '30s', { wait: 0 })],
      ['acquire', (): Promise<unknown> => service.tryAcquire('k', '30s')],
      ['extend', (): Promise<unknown> => held.extend()],
      ['release', (): Promise<unknown> => held.release()],
    ] as const) {
      const startedAtMs = performance.now();
      const { error } = await timed(call());
      const tookMs = performance.now() - startedAtMs;
      expect(error).toBeInstanceOf(QuorumUnreachableError);
      expect((error as Error).message).toContain(`Could not ${verb}`);
      for (const { port } of stalled) expect((error as Error).message).toContain(`${port}: no answer within 200 ms`);
      expect(tookMs).toBeGreaterThanOrEqual(0.9 * nodeTimeout); // Timers and clocks round differently.
      expect(tookMs).toBeLessThan(5_000); // The tests in virtual time say how exactly.
    }
    for (const server of stalled) await server.resume();
    await eventually(async () => (await keysOf(fleet)).length === 0);
    expect(await service.withLock('k', '5s', () => Promise.resolve('works again'))).toBe('works again');
  });

  it('P6: when all servers are silent, the signal has aborted before the ttl is over', async () => {
    const startedAt = performance.now();
    const { error } = await timed(
      service.withLock('k', '2s', async ({ signal }) => {
        for (const server of fleet.servers) await server.pause();
        await new Promise((resolve) => {
          signal.addEventListener('abort', resolve);
        });
        expect(performance.now() - startedAt).toBeLessThan(2000);
        for (const server of fleet.servers) await server.resume();
      }),
    );
    expect(error).toBeInstanceOf(LockLostError);
    await eventually(async () => (await keysOf(fleet)).length === 0);
  });

  it('P6: when the lock is stolen, the signal has aborted before the ttl is over', async () => {
    const startedAt = performance.now();
    const { error } = await timed(
      service.withLock('k', '2s', async ({ signal }) => {
        for (const server of fleet.servers) await server.command('DEL', 'redlock:k');
        await new Promise((resolve) => {
          signal.addEventListener('abort', resolve);
        });
        expect(performance.now() - startedAt).toBeLessThan(2000);
      }),
    );
    expect(error).toMatchObject({ code: 'LOCK_LOST', reason: 'taken' });
    await eventually(async () => (await keysOf(fleet)).length === 0);
  });
});

describe('with three servers', () => {
  let fleet: Fleet;
  beforeAll(async () => {
    fleet = await start(3);
  });
  afterAll(() => fleet.stop());
  afterEach(async () => {
    await forgetLocks(fleet.servers);
  });

  it('P1, P7: one of many who come at once gets the lock, the others hear who has it', async () => {
    const services = await Promise.all(
      [1, 2, 3, 4].map((owner) => connect(fleet, { owner: `host-${owner}`, nodeTimeout: '2s' })),
    );
    for (let round = 0; round < 10; round++) {
      const attempts = await Promise.allSettled(
        services.map((service) => service.acquire(`k${round}`, '10s', { wait: 0 })),
      );
      const failures = attempts.flatMap((attempt) => (attempt.status === 'rejected' ? [attempt.reason as Error] : []));
      expect(failures).toHaveLength(3);
      for (const failure of failures) {
        expect(failure).toBeInstanceOf(LockContendedError);
        expect((failure as LockContendedError).owner).toMatch(/^host-\d$/);
      }
    }
  });

  it('says once that a server is away, with the reason, and once that it is back', async () => {
    @Module({ imports: [RedlockModule.forRoot(fleet.urls)] })
    class AppModule {}
    const logger = new CollectingLogger();
    const app = await NestFactory.createApplicationContext(AppModule, { logger });
    apps.push(app);
    const service = app.get(RedlockService);
    await service.withLock('k', '5s', () => Promise.resolve());
    const server = fleet.servers[0]!;
    await server.kill();
    await eventually(() => logger.problems.length > 0);
    for (let index = 0; index < 5; index++)
      await service.withLock('k', '5s', () => new Promise((resolve) => setTimeout(resolve, 100)));
    expect(logger.problems).toEqual([expect.stringMatching(new RegExp(`:${server.port} cannot be reached: `))]);
    await server.restart();
    await eventually(() => logger.of('warn').filter((line) => line.includes('votes again')).length === 1);
    expect(logger.problems).toHaveLength(2);
  });

  it('P3: a lock whose holder has died is free after its ttl', async () => {
    const [first, second] = [await connect(fleet), await connect(fleet)];
    await first.acquire('k', 400);
    const { value, tookMs } = await timed(second.acquire('k', '5s', { wait: '5s' }));
    expect(tookMs).toBeLessThan(4_000);
    await value?.release();
  });

  it('P11: no ghost of an acquire that was given up on a stalled majority, also when its connection is cut meanwhile', async () => {
    const service = await connect(fleet, { nodeTimeout: 50 });
    for (const server of fleet.servers) await server.pause();
    for (let index = 0; index < 15; index++) {
      await expect(service.acquire(`k${index}`, '60s', { wait: 0 })).rejects.toBeInstanceOf(QuorumUnreachableError);
    }
    for (const server of fleet.servers) await server.resume();
    await eventually(async () => (await keysOf(fleet)).length === 0);
    await service.withLock('after', '5s', () => Promise.resolve());
  });

  it('P11, P17: servers that die and come back with their data, while locks are taken and given back, keep nothing', async () => {
    const service = await connect(fleet, { nodeTimeout: 300 });
    const results: string[] = [];
    const work = async (name: string): Promise<void> => {
      for (let index = 0; index < 30; index++) {
        const { error } = await timed(
          service.withLock(`${name}-${index}`, '60s', () => new Promise((resolve) => setTimeout(resolve, 20))),
        );
        results.push(error === undefined ? 'ok' : (error as Error).name);
      }
    };
    const working = Promise.all(['a', 'b', 'c'].map(work));
    for (const server of fleet.servers) {
      await server.kill();
      await new Promise((resolve) => setTimeout(resolve, 150));
      await server.restart({ data: true });
    }
    await working;
    expect(new Set(results)).toEqual(new Set(['ok']));
    await service.withLock('last', '5s', () => Promise.resolve());
    await eventually(async () => (await keysOf(fleet)).length === 0);
  });

  it('P6, P7: does not take a stall of its own event loop for silent servers', async () => {
    await using direct = await start(3, { direct: true });
    const service = await connect(direct);
    const asked = service.acquire('k', '30s', { wait: 0 });
    await new Promise((resolve) => process.nextTick(resolve));
    setImmediate(() => {
      const endAt = performance.now() + 600;
      while (performance.now() < endAt);
    });
    expect((await asked).isHeld()).toBe(true);
  });

  it('P11: gives a lock back to a server that was busy when it was released', async () => {
    const service = await connect(fleet);
    const lock = await service.acquire('busy', '5m');
    await eventually(async () => (await keysOf(fleet)).length === 3);
    const server = fleet.servers[0]!;
    await server.command('CONFIG', 'SET', 'lua-time-limit', '20');
    const script = server.command('EVAL', 'while true do end', '0').catch(() => undefined);
    await eventually(() =>
      server.command('PING').then(
        () => false,
        (error: unknown) => String(error).includes('BUSY'),
      ),
    );
    await lock.release();
    await server.command('SCRIPT', 'KILL');
    await script;
    await eventually(async () => (await keysOf(fleet)).length === 0);
  });

  it('goes on after SCRIPT FLUSH', async () => {
    const service = await connect(fleet);
    for (const server of fleet.servers) await server.command('SCRIPT', 'FLUSH');
    expect(await service.withLock('k', '5s', () => Promise.resolve('fine'))).toBe('fine');
    const many = Promise.all(
      Array.from({ length: 20 }, (_, index) => service.withLock(`k${index}`, '5s', () => Promise.resolve(index))),
    );
    for (const server of fleet.servers) await server.command('SCRIPT', 'FLUSH');
    expect(await many).toHaveLength(20);
    await eventually(async () => (await keysOf(fleet)).length === 0);
  });

  it('P5: works from the first call on, before the connections are made', async () => {
    @Module({ imports: [RedlockModule.forRoot(fleet.urls)] })
    class AppModule {}
    const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
    apps.push(app);
    expect(await app.get(RedlockService).withLock('k', '5s', () => Promise.resolve(1), { wait: 0 })).toBe(1);
  });
});

describe('a majority of servers that is down', () => {
  let fleet: Fleet;
  const runs: number[] = [];

  @Injectable()
  class Jobs {
    @WithLock('down', '500ms')
    @Cron('* * * * * *')
    run(): Promise<void> {
      runs.push(Math.floor(Date.now() / 1000));
      return Promise.resolve();
    }
  }

  beforeAll(async () => {
    fleet = await start(3);
  });
  afterAll(() => fleet.stop());

  it('P8: fails the tick loudly on every replica, nothing runs, and the tick after they are back runs', async () => {
    const logger = new CollectingLogger();
    for (let index = 0; index < 2; index++) {
      @Module({ imports: [ScheduleModule.forRoot(), RedlockModule.forRoot(fleet.urls)], providers: [Jobs] })
      class AppModule {}
      apps.push(await NestFactory.createApplicationContext(AppModule, { logger }));
    }
    await eventually(() => runs.length > 0);

    const [killed, paused] = [fleet.servers[0]!, fleet.servers[1]!];
    await killed.kill();
    await paused.pause();
    // Each replica says besides, at some time, that the quorum is lost.
    const failures = (): string[] => logger.of('error').filter((line) => line.includes('QuorumUnreachableError'));
    // Two replicas, so two failures a tick.
    await eventually(() => failures().length >= 2);
    const before = runs.length;
    await eventually(() => failures().length >= 6);
    expect(runs.length).toBe(before);
    for (const error of failures().slice(-2)) {
      expect(error).toMatch(new RegExp(`:${killed.port}: .*ECONNREFUSED`));
      expect(error).toMatch(new RegExp(`:${paused.port}: no answer within`));
    }

    // In the first half of a second, so that the next tick is the first chance.
    await eventually(() => Date.now() % 1000 < 300);
    await killed.restart({ data: true });
    await paused.resume();
    const backIn = Math.floor(Date.now() / 1000);
    await eventually(() => runs.some((tick) => tick > backIn));
    expect(new Set(runs).size).toBe(runs.length);
  });
});
