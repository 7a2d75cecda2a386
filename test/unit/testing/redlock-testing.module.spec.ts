import { afterAll, afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  ConsoleLogger,
  Injectable,
  Logger,
  Module,
  type DynamicModule,
  type Provider,
  type Type,
} from '@nestjs/common';
import { Cron, ScheduleModule } from '@nestjs/schedule';
import { Test, type TestingModule } from '@nestjs/testing';
import { Socket } from 'node:net';
import {
  currentLock,
  getRedlockToken,
  InjectRedlock,
  InvalidOptionsError,
  LockContendedError,
  RedlockModule,
  RedlockService,
  RedlockShutdownError,
  WithLock,
} from 'redlock-nestjs';
import {
  REDLOCK_SERVERS,
  RedlockMemory,
  RedlockTestingModule,
  type RedlockTestingOptions,
} from 'redlock-nestjs/testing';
import { CollectingLogger } from '../../support/collecting-logger.js';

const apps: TestingModule[] = [];
const logger = new CollectingLogger();
const connect = jest.spyOn(Socket.prototype, 'connect');

beforeEach(() => {
  logger.lines.splice(0);
  connect.mockClear();
});
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
  jest.useRealTimers();
  expect(connect).not.toHaveBeenCalled();
});
afterAll(() => {
  connect.mockRestore();
  Logger.overrideLogger(new ConsoleLogger());
});

async function boot(imports: (DynamicModule | Type)[], providers: Provider[] = []): Promise<TestingModule> {
  const app = await Test.createTestingModule({ imports, providers }).setLogger(logger).compile();
  apps.push(await app.init());
  return app;
}

const serve = async (options?: RedlockTestingOptions): Promise<RedlockService> =>
  (await boot([RedlockTestingModule.forRoot(options)])).get(RedlockService);

const never = (): Promise<never> => new Promise(() => undefined);

/** The defaults of fake timers: time passes as the test says, while calls settle by themselves. */
function fakeTime(now: string): void {
  jest.useFakeTimers({ now: new Date(now) });
}

describe('RedlockTestingModule', () => {
  it('has the service of RedlockModule, on one server that is ready', async () => {
    const service = await serve({ owner: 'me' });
    expect(await service.health()).toEqual({
      quorum: true,
      voting: 1,
      needed: 1,
      servers: [
        { server: 'memory', state: 'ready', since: expect.any(Date), latencyMs: expect.any(Number), warnings: [] },
      ],
    });
    await service.withLock('k', '5s', async (lock) => {
      expect(lock.isHeld()).toBe(true);
      expect(await service.inspect('k')).toMatchObject({ held: true, owner: 'me', servers: [{ server: 'memory' }] });
    });
    expect(await service.inspect('k')).toMatchObject({ held: false });
  });

  it('P9: locks decorated methods, and tells their lock', async () => {
    @Injectable()
    class Jobs {
      constructor(@InjectRedlock('second') readonly second: RedlockService) {}
      @WithLock((id: number) => `job:${id}`, '5s', { instance: 'second' })
      run(_id: number): Promise<readonly string[] | undefined> {
        return Promise.resolve(currentLock()?.keys);
      }
    }
    const modules = [RedlockTestingModule.forRoot(), RedlockTestingModule.forRoot({ name: 'second' })];
    const app = await boot(modules, [Jobs]);
    expect(await app.get(Jobs).run(7)).toEqual(['job:7']);
    expect(app.get(Jobs).second).toBe(app.get(getRedlockToken('second')));

    await expect(boot([RedlockTestingModule.forRoot()], [Jobs])).rejects.toThrow(/second/);
    apps.splice(1);
  });

  it('P2: gives every grant of a key a larger fencing token', async () => {
    const memory = new RedlockMemory();
    const services = [await serve({ memory }), await serve({ memory })];
    let last = 0;
    for (const service of [...services, ...services]) {
      await using lock = await service.acquire('k', '5s');
      expect(lock.fencingToken).toBeGreaterThan(last);
      last = lock.fencingToken;
    }
  });

  it('an operator frees a key, and the holder in another application notices with its next extension', async () => {
    const memory = new RedlockMemory();
    const [one, other] = [await serve({ memory }), await serve({ memory })];
    const lock = await one.acquire('k', '5s');
    expect(await other.forceRelease('k')).toBe(true);
    await expect(lock.extend()).rejects.toThrow('k');
    expect(lock.signal.aborted).toBe(true);
  });

  it('P15: shutdown waits for the work in flight and gives locks back, and no timer goes on', async () => {
    fakeTime('2026-03-01T00:00:00Z');
    const memory = new RedlockMemory();
    const other = await serve({ memory });
    const app = await boot([RedlockTestingModule.forRoot({ memory })]);
    const service = app.get(RedlockService);
    await service.acquire('held', '1h', { autoExtend: true });
    let finish = (): void => undefined;
    const work = service.withLock('working', '5s', () => new Promise<void>((resolve) => (finish = resolve)));
    const waiting = other.withLock('held', '5s', () => Promise.resolve('mine'), { wait: '1h' });
    await jest.advanceTimersByTimeAsync(8000);
    expect(await other.tryAcquire('working', '5s')).toBeNull();

    let closed = false;
    const closing = app.close().then(() => (closed = true));
    await jest.advanceTimersByTimeAsync(1000);
    expect(closed).toBe(false);
    finish();
    await Promise.all([work, closing]);
    expect(await waiting).toBe('mine');
    await expect(service.acquire('late', '5s')).rejects.toThrow(RedlockShutdownError);

    await apps.shift()?.close();
    await jest.advanceTimersByTimeAsync(10_000); // What is in the background ends by itself.
    expect(jest.getTimerCount()).toBe(0);
  });
});

describe('applications', () => {
  it('P1: that share a memory exclude each other', async () => {
    const memory = new RedlockMemory();
    const [one, other] = [await serve({ memory, owner: 'one' }), await serve({ memory })];
    await one.withLock('k', '5s', async () => {
      const refusal = await other.withLock('k', '5s', never, { wait: 0 }).catch((error: unknown) => error);
      expect(refusal).toBeInstanceOf(LockContendedError);
      expect(refusal).toMatchObject({ message: expect.stringContaining('one') });
      expect(await other.tryAcquire('k2', '5s')).not.toBeNull();
    });
    expect(await other.tryAcquire('k', '5s')).not.toBeNull();
  });

  it('that share none know nothing of each other, also of one module, and neither do instances', async () => {
    const module = RedlockTestingModule.forRoot();
    const second = RedlockTestingModule.forRoot({ name: 'second' });
    const [one, other] = [await boot([module, second]), await boot([module])];
    const services = [
      one.get<RedlockService>(getRedlockToken()),
      one.get<RedlockService>(getRedlockToken('second')),
      other.get(RedlockService),
    ];
    for (const service of services) expect((await service.tryAcquire('k', '5s'))?.isHeld()).toBe(true);
  });

  it('P14: that wait are woken by the release', async () => {
    fakeTime('2026-03-01T00:00:00Z');
    const memory = new RedlockMemory();
    const [one, other] = [await serve({ memory }), await serve({ memory })];
    const lock = await one.acquire('k', '1h');
    let gotAtMs: number | undefined;
    const waiting = other.acquire('k', '1h', { wait: '30m' }).then(() => (gotAtMs = Date.now()));
    await jest.advanceTimersByTimeAsync(600_000);
    expect(gotAtMs).toBeUndefined();
    const releasedAtMs = Date.now();
    await lock.release();
    await jest.advanceTimersByTimeAsync(10);
    expect(gotAtMs).toBe(releasedAtMs);
    await waiting;
  });

  it('P8: that share a memory run each tick of a @Cron once, however short the run', async () => {
    fakeTime('2026-03-01T01:59:59Z');
    const ran: string[] = [];
    @Injectable()
    class Invoices {
      @Cron('*/10 * * * * *')
      @WithLock('invoices', '5s')
      send(): Promise<void> {
        return Promise.resolve(void ran.push(new Date().toISOString()));
      }
    }
    const memory = new RedlockMemory();
    for (let replica = 0; replica < 3; replica++) {
      await boot([ScheduleModule.forRoot(), RedlockTestingModule.forRoot({ memory })], [Invoices]);
    }
    await jest.advanceTimersByTimeAsync(25_000);
    expect(ran).toEqual(['2026-03-01T02:00:00.000Z', '2026-03-01T02:00:10.000Z', '2026-03-01T02:00:20.000Z']);
    expect(logger.problems).toEqual([]);
  });

  it('P3: that vanish with a lock are out after its ttl', async () => {
    fakeTime('2026-03-01T00:00:00Z');
    const memory = new RedlockMemory();
    const [one, other] = [await serve({ memory }), await serve({ memory })];
    await one.acquire('k', '30s');
    await jest.advanceTimersByTimeAsync(29_000);
    expect(await other.tryAcquire('k', '30s')).toBeNull();
    await jest.advanceTimersByTimeAsync(1001);
    expect(await other.tryAcquire('k', '30s')).not.toBeNull();
  });
});

describe('the servers of a RedlockModule', () => {
  @Module({ imports: [RedlockModule.forRoot(['a:1', 'b:2', 'c:3'], { keyPrefix: 'mine:' })] })
  class AppModule {}
  @Module({ imports: [RedlockModule.forRoot({ shards: [['a:1', 'b:2', 'c:3'], ['d:4']] })] })
  class ShardedModule {}

  async function override(module: Type, memory = new RedlockMemory()): Promise<RedlockService> {
    const builder = Test.createTestingModule({ imports: [module] }).setLogger(logger);
    const app = await builder.overrideProvider(REDLOCK_SERVERS).useValue(memory).compile();
    apps.push(await app.init());
    return app.get(RedlockService);
  }

  it('are those of a memory where it stands in their place, each by its name', async () => {
    const memory = new RedlockMemory();
    const [one, other] = [await override(AppModule, memory), await override(AppModule, memory)];
    const { quorum, servers } = await one.health();
    expect([quorum, servers.map(({ server }) => server)]).toEqual([true, ['a:1', 'b:2', 'c:3']]);
    const lock = await one.acquire('k', '5s');
    await lock.extend();
    expect((await other.inspect('k')).servers.map(({ state }) => state)).toEqual(['held', 'held', 'held']);
    expect(await other.tryAcquire('k', '5s')).toBeNull();
    await lock.release();
    const later = await other.tryAcquire('k', '5s');
    expect(later?.fencingToken).toBeGreaterThan(lock.fencingToken);
  });

  it('are apart in shards, as ever', async () => {
    const service = await override(ShardedModule);
    expect((await service.health()).shards).toHaveLength(2);
    const used = new Set<number>();
    for (let index = 0; index < 50; index++) {
      await service.acquire(`k${index}`, '5s');
      used.add((await service.inspect(`k${index}`)).servers.length);
    }
    expect(used).toEqual(new Set([1, 3]));
  });
});

describe('P16: options', () => {
  it.each<[string, unknown]>([
    ['options', 'redis://:secret@a'],
    ['options', ['a:1']],
    ['options', null],
    ['servers', { servers: ['a:1'] }],
    ['shards', { shards: [['a:1']] }],
    ['memory', { memory: {} }],
    ['memory', { memory: null }],
    ['memory', { memory: true }],
    ['wait', { wait: 'long' }],
    ['maxWait', { maxWait: 1 }],
    ['isGlobal', { isGlobal: 'no' }],
    ['name', { name: '' }],
  ])('are refused by name: %s in %p', (option, options) => {
    const forRoot = (): unknown => RedlockTestingModule.forRoot(options as RedlockTestingOptions);
    expect(forRoot).toThrow(InvalidOptionsError);
    expect(forRoot).toThrow(new RegExp(`^${option}: (?!.*secret)`));
  });

  it('are those of RedlockModule, and do as they say', async () => {
    const service = await serve({ memory: undefined, owner: 'me', fencing: false, isGlobal: false });
    const lock = await service.acquire('k', '5s');
    expect((await service.inspect('k')).owner).toBe('me');
    expect(lock.fencingToken).toBe(0);
    expect(RedlockTestingModule.forRoot({ isGlobal: false }).global).toBe(false);
    expect(RedlockTestingModule.forRoot().global).toBe(true);
  });
});
