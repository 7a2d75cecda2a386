import 'reflect-metadata';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Injectable, Module, type DynamicModule, type INestApplicationContext, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Cluster, Redis } from 'ioredis';
import { inspect } from 'node:util';
import {
  currentLock,
  getRedlockToken,
  InjectRedlock,
  type LockContendedError,
  RedlockModule,
  RedlockService,
  type RedlockModuleOptions,
  type RedlockOptionsFactory,
} from 'redlock-nestjs';
import { eventually } from '../support/eventually.js';
import { forgetLocks } from '../support/forget-locks.js';
import { start, type Fleet, type FleetServer } from '../support/fleet.js';

let fleet: Fleet;
const apps: INestApplicationContext[] = [];
const clients: { disconnect(): void }[] = [];
beforeAll(async () => {
  fleet = await start(3);
});
afterAll(() => fleet.stop());
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
  for (const client of clients.splice(0)) client.disconnect();
  await forgetLocks(fleet.servers);
});

async function boot(imports: (DynamicModule | Type)[], providers: Type[] = []): Promise<INestApplicationContext> {
  @Module({ imports, providers })
  class AppModule {}
  const app = await NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
  apps.push(app);
  return app;
}

/** How many servers carry a lock while it is held: proof that the options arrived. */
async function carriers(service: RedlockService, key = 'redlock:k'): Promise<number> {
  return await service.withLock('k', '5s', async () => {
    const count = async (): Promise<number> =>
      (await Promise.all(fleet.servers.map((server) => server.keys(key)))).flat().length;
    await eventually(async () => (await count()) > 0);
    return await count();
  });
}

@Injectable()
class Factory implements RedlockOptionsFactory {
  createRedlockOptions(): RedlockModuleOptions {
    return { servers: fleet.urls, keyPrefix: 'made:' };
  }
}

@Module({ providers: [Factory], exports: [Factory] })
class FactoryModule {}

describe('RedlockModule', () => {
  const client = (): Redis => {
    const made = new Redis(fleet.urls[0]!);
    clients.push(made);
    return made;
  };

  it.each<[string, () => DynamicModule]>([
    ['one url', () => RedlockModule.forRoot(fleet.urls[0]!)],
    ['one host:port', () => RedlockModule.forRoot(fleet.urls[0]!.replace('redis://', ''))],
    ['ioredis options', () => RedlockModule.forRoot({ host: '127.0.0.1', port: Number(new URL(fleet.urls[0]!).port) })],
    ['a ready client', () => RedlockModule.forRoot(client())],
    ['an object with one server', () => RedlockModule.forRoot({ servers: fleet.urls[0]! })],
  ])('forRoot takes %s', async (_, module) => {
    expect(await carriers((await boot([module()])).get(RedlockService))).toBe(1);
  });

  it.each<[string, () => DynamicModule]>([
    ['a list and options', () => RedlockModule.forRoot(fleet.urls, { keyPrefix: 'made:' })],
    ['an object', () => RedlockModule.forRoot({ servers: fleet.urls, keyPrefix: 'made:' })],
  ])('forRoot takes %s', async (_, module) => {
    expect(await carriers((await boot([module()])).get(RedlockService), 'made:k')).toBeGreaterThan(1);
  });

  it.each<[string, () => DynamicModule]>([
    [
      'useFactory',
      () =>
        RedlockModule.forRootAsync({
          imports: [FactoryModule],
          inject: [Factory],
          useFactory: (factory: Factory) => factory.createRedlockOptions(),
        }),
    ],
    [
      'an async useFactory',
      () =>
        RedlockModule.forRootAsync({ useFactory: () => Promise.resolve({ servers: fleet.urls, keyPrefix: 'made:' }) }),
    ],
    ['useClass', () => RedlockModule.forRootAsync({ useClass: Factory })],
    ['useExisting', () => RedlockModule.forRootAsync({ imports: [FactoryModule], useExisting: Factory })],
  ])('forRootAsync takes %s', async (_, module) => {
    expect(await carriers((await boot([module()])).get(RedlockService), 'made:k')).toBeGreaterThan(1);
  });

  it('is global unless isGlobal is false', async () => {
    @Injectable()
    class User {
      constructor(readonly redlock: RedlockService) {}
    }
    @Module({ providers: [User], exports: [User] })
    class UserModule {}
    const app = await boot([RedlockModule.forRoot(fleet.urls), UserModule]);
    expect(await carriers(app.get(User).redlock)).toBeGreaterThan(0);
    await expect(boot([RedlockModule.forRoot(fleet.urls, { isGlobal: false }), UserModule])).rejects.toThrow(
      /RedlockService/,
    );
  });

  it('has instances side by side, by name, injected with @InjectRedlock', async () => {
    @Injectable()
    class User {
      constructor(
        readonly first: RedlockService,
        @InjectRedlock('second') readonly second: RedlockService,
      ) {}
    }
    const app = await boot(
      [
        RedlockModule.forRoot(fleet.urls),
        RedlockModule.forRootAsync({
          name: 'second',
          useFactory: () => ({ servers: fleet.urls, keyPrefix: 'second:' }),
        }),
      ],
      [User],
    );
    const { first, second } = app.get(User);
    expect(second).toBe(app.get(getRedlockToken('second')));
    expect(first).toBe(app.get(RedlockService));
    expect(await carriers(second, 'second:k')).toBeGreaterThan(1);
    expect(await carriers(first)).toBeGreaterThan(1);
  });

  it('P16: fails at once with bad options, and while it starts when a factory gives them', async () => {
    expect(() => RedlockModule.forRoot([])).toThrow(/^servers: /);
    expect(() => RedlockModule.forRoot(fleet.urls, { wait: 'long' })).toThrow(/^wait: /);
    await expect(boot([RedlockModule.forRootAsync({ useFactory: () => ({ servers: [] }) })])).rejects.toThrow(
      /^servers: /,
    );
  });

  it('P16: refuses an object that says nothing of servers', () => {
    for (const options of [{}, { keyPrefix: 'x' }, { wait: '1s' }, { server: ['redis://localhost'] }]) {
      expect(() => RedlockModule.forRoot(options as RedlockModuleOptions)).toThrow(/^(servers|server): /);
    }
  });

  it('takes a Cluster as one server, also for many locks at once', async () => {
    await using single = await start(1, {
      direct: true,
      args: ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1'],
    });
    const [server] = single.servers as [FleetServer];
    await server.command('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
    await eventually(async () => String(await server.command('CLUSTER', 'INFO')).includes('cluster_state:ok'));
    const cluster = new Cluster([{ host: server.host, port: server.port }]);
    clients.push(cluster);
    const service = (await boot([RedlockModule.forRoot(cluster)])).get(RedlockService);
    const locks = await Promise.all(['a', 'b', 'c', 'd'].map((key) => service.acquire(key, '5s')));
    expect(new Set(locks.map(({ token }) => token)).size).toBe(4);
    await Promise.all(locks.map((lock) => lock.release()));
    const tick = new Date();
    expect(await service.withLock('x', '5s', () => Promise.resolve('ran'), { tick })).toBe('ran');
    await service.withLock(['{t}a', '{t}b'], '5s', () => Promise.resolve());
    await expect(service.acquire(['a', 'b'], '5s', { wait: 0 })).rejects.toThrow(/slot/);
    expect(await server.keys('redlock:*')).toEqual([]);
  });

  it('starts while all servers are away, and locks once they are back', async () => {
    for (const server of fleet.servers) await server.kill();
    const service = (await boot([RedlockModule.forRoot(fleet.urls)])).get(RedlockService);
    await expect(service.acquire('k', '5s', { wait: 0 })).rejects.toMatchObject({ code: 'QUORUM_UNREACHABLE' });
    const waiting = service.withLock('k', '5s', () => Promise.resolve('locked'));
    for (const server of fleet.servers) await server.restart();
    expect(await waiting).toBe('locked');
  });
});

describe('RedlockService', () => {
  it('tryAcquire gives null only when somebody else holds it', async () => {
    const service = (await boot([RedlockModule.forRoot(fleet.urls)])).get(RedlockService);
    const lock = await service.tryAcquire('k', '5s');
    expect(lock?.isHeld()).toBe(true);
    const startedAt = performance.now();
    expect(await service.tryAcquire('k', '5s', { wait: undefined })).toBeNull();
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    await lock!.release();
    expect(await service.tryAcquire('k', '5s')).not.toBeNull();
    await expect(service.tryAcquire('', '5s')).rejects.toThrow(/^key/);
    for (const server of fleet.servers.slice(0, 2)) await server.pause();
    await expect(service.tryAcquire('l', '5s')).rejects.toMatchObject({ code: 'QUORUM_UNREACHABLE' });
    for (const server of fleet.servers) await server.resume();
  });

  it('locks several keys as one, all or none', async () => {
    const service = (await boot([RedlockModule.forRoot(fleet.urls)])).get(RedlockService);
    const lock = await service.acquire(['b', 'a'], '5s');
    expect(lock.keys).toEqual(['b', 'a']);
    expect(await service.tryAcquire(['c', 'a'], '5s')).toBeNull();
    await eventually(
      async () => (await Promise.all(fleet.servers.map((server) => server.keys('*c')))).flat().length === 0,
    );
    await lock.release();
    await service.withLock(['c', 'a'], '5s', () => Promise.resolve());
  });

  it('is released by await using', async () => {
    const service = (await boot([RedlockModule.forRoot(fleet.urls)])).get(RedlockService);
    {
      await using lock = await service.acquire('k', '5s');
      expect(lock.isHeld()).toBe(true);
    }
    expect(await service.tryAcquire('k', '5s')).not.toBeNull();
  });

  it('withLock skips when it was told to, and never takes an error of the work for a contended lock', async () => {
    const service = (await boot([RedlockModule.forRoot(fleet.urls)])).get(RedlockService);
    const other = await service.acquire('other', '5s');
    expect(
      await service.withLock('other', '5s', () => Promise.resolve(1), { wait: 0, onContended: 'skip' }),
    ).toBeUndefined();
    await expect(
      service.withLock('k', '5s', () => service.withLock('other', '5s', () => Promise.resolve(1), { wait: 0 }), {
        onContended: 'skip',
      }),
    ).rejects.toMatchObject({ code: 'LOCK_CONTENDED', keys: ['other'] });
    await other.release();
  });

  it('currentLock() is the lock of the running context, and none outside', async () => {
    const service = (await boot([RedlockModule.forRoot(fleet.urls)])).get(RedlockService);
    expect(currentLock()).toBeUndefined();
    await service.withLock('outer', '5s', async (outer) => {
      expect(currentLock()).toBe(outer);
      await service.withLock('inner', '5s', (inner) => {
        expect(currentLock()).toBe(inner);
        return Promise.resolve();
      });
      await new Promise((resolve) => setTimeout(resolve, 5));
      expect(currentLock()).toBe(outer);
    });
    expect(currentLock()).toBeUndefined();
  });

  it('P8: a tick that was given runs once, also when the lock is free again', async () => {
    const service = (await boot([RedlockModule.forRoot(fleet.urls)])).get(RedlockService);
    const run = (tick: Date | number): Promise<string | undefined> =>
      service.withLock('k', '5s', () => Promise.resolve('ran'), { tick, onContended: 'skip' });
    const at = new Date('2030-01-01T00:00:00Z');
    expect([await run(at), await run(at), await run(at.getTime()), await run(at.getTime() + 1000)]).toEqual([
      'ran',
      undefined,
      undefined,
      'ran',
    ]);
  });

  it('takes a new ttl for an extension as a duration, and refuses a bad one', async () => {
    const service = (await boot([RedlockModule.forRoot(fleet.urls)])).get(RedlockService);
    const lock = await service.acquire('k', '5s');
    await lock.extend('1m');
    expect(lock.remaining).toBeGreaterThan(50_000);
    await expect(lock.extend('soon')).rejects.toThrow(/^ttl: /);
    await lock.release();
  });

  it('P16: neither a lock nor the service shows a password when it is printed', async () => {
    const [host, port] = new URL(fleet.urls[0]!).host.split(':');
    const given = new Redis({ host: host!, port: Number(port), username: 'default', password: 'secret' });
    clients.push(given);
    const service = (await boot([RedlockModule.forRoot(given)])).get(RedlockService);
    const lock = await service.acquire('k', '5s');
    for (const printed of [lock, service, new Set([lock])]) {
      expect(inspect(printed, { depth: 20, showHidden: true })).not.toContain('secret');
      expect(JSON.stringify(printed)).not.toContain('secret');
    }
    expect(JSON.parse(JSON.stringify(lock))).toEqual({
      keys: ['k'],
      token: lock.token,
      fencingToken: lock.fencingToken,
      late: false,
    });
    await lock.release();
  });

  it('an error has one vote for each server, also where the decision did not wait for it', async () => {
    const service = (await boot([RedlockModule.forRoot(fleet.urls)])).get(RedlockService);
    const lock = await service.acquire('k', '5s');
    const error = await service.acquire('k', '5s', { wait: 0 }).catch((cause: unknown) => cause as LockContendedError);
    const votes = (error as LockContendedError).votes;
    expect(votes.map(({ server }) => server).sort()).toEqual(fleet.urls.map((url) => new URL(url).host).sort());
    expect(votes.filter(({ outcome }) => outcome === 'denied').length).toBeGreaterThanOrEqual(2);
    await lock.release();
  });

  it('runs nested work on a key that it holds under the lock that it has where it is reentrant', async () => {
    const service = (await boot([RedlockModule.forRoot(fleet.urls, { reentrant: true })])).get(RedlockService);
    await service.withLock(['a', 'b'], '5s', async (outer) => {
      expect(await service.withLock('a', '5s', ({ token }) => Promise.resolve(token))).toBe(outer.token);
      expect(await service.withLock(['b', 'a'], '5s', () => Promise.resolve(currentLock()?.token))).toBe(outer.token);
      expect(await service.withLock('c', '5s', (inner) => Promise.resolve(inner.keys))).toEqual(['c']);
      await expect(service.withLock(['a', 'c'], '5s', () => Promise.resolve(), { wait: 0 })).rejects.toMatchObject({
        code: 'INVALID_OPTIONS',
      });
      expect(outer.isHeld()).toBe(true);
    });
    expect(await service.tryAcquire('a', '5s')).not.toBeNull();
  });

  it('inspect says who holds a key, as each server sees it', async () => {
    const service = (await boot([RedlockModule.forRoot(fleet.urls, { owner: 'me' })])).get(RedlockService);
    expect(await service.inspect('k')).toMatchObject({
      key: 'k',
      held: false,
      servers: [{ state: 'free' }, { state: 'free' }, { state: 'free' }],
    });
    await service.withLock('k', '5s', async ({ token }) => {
      await eventually(async () => (await service.inspect('k')).servers.every(({ state }) => state === 'held'));
      await fleet.servers[2]!.pause();
      const inspection = await service.inspect('k');
      expect(inspection).toMatchObject({ key: 'k', held: true, owner: 'me' });
      expect(inspection.remainingMs).toBeGreaterThan(3000);
      expect(inspection.servers.map(({ server }) => server)).toEqual(fleet.urls.map((url) => new URL(url).host));
      expect(inspection.servers).toMatchObject([
        { state: 'held', owner: 'me', token },
        { state: 'held', token },
        { state: 'unknown', cause: 'no answer within 500 ms' },
      ]);
      await fleet.servers[2]!.resume();
    });
    await expect(service.inspect('')).rejects.toThrow(/^key: /);
  });

  it("forceRelease frees a key, and the holder's signal aborts", async () => {
    const service = (await boot([RedlockModule.forRoot(fleet.urls)])).get(RedlockService);
    const operator = (await boot([RedlockModule.forRoot(fleet.urls)])).get(RedlockService);
    expect(await operator.forceRelease('k')).toBe(false);
    const work = service.withLock('k', '1s', async ({ signal }) => {
      expect(await operator.forceRelease('k')).toBe(true);
      await new Promise((resolve) => {
        signal.addEventListener('abort', resolve);
      });
    });
    await expect(work).rejects.toMatchObject({ code: 'LOCK_LOST', reason: 'taken' });
    expect(await operator.tryAcquire('k', '1s')).not.toBeNull();
    const own = await service.acquire('own', '1m');
    await service.forceRelease('own');
    expect(own.signal.aborted).toBe(true);
  });

  it('health tells the state of each server, and whether there is a quorum', async () => {
    const service = (await boot([RedlockModule.forRoot(fleet.urls)])).get(RedlockService);
    await eventually(async () => (await service.health()).servers.every(({ state }) => state === 'ready'));
    const healthy = await service.health();
    expect(healthy).toMatchObject({ quorum: true, servers: [{ state: 'ready', warnings: expect.any(Array) }, {}, {}] });
    expect(healthy.servers[0]?.latencyMs).toBeGreaterThan(0);
    // The same machine has one clock; it may be read late.
    for (const { clockOffsetMs } of healthy.servers) expect(Math.abs(clockOffsetMs ?? Infinity)).toBeLessThan(1000);
    expect(healthy.servers[0]?.version).toMatch(/^\d+\./);
    await fleet.servers[0]!.kill();
    await fleet.servers[1]!.pause();
    await eventually(async () => (await service.health()).servers[0]?.state === 'down');
    const ill = await service.health();
    expect(ill.quorum).toBe(false);
    expect(ill.servers[0]?.reason).toMatch(/ECONNREFUSED|connect/);
    expect(ill.servers[1]).toMatchObject({ reason: expect.stringMatching(/^no answer within 500 ms|not connected/) });
    await fleet.servers[0]!.restart();
    await fleet.servers[1]!.resume();
    await eventually(async () => (await service.health()).quorum);
  });

  it('fencingToken grows with each grant, and costs one round trip in the steady state', async () => {
    const service = (await boot([RedlockModule.forRoot(fleet.urls)])).get(RedlockService);
    const calls = async (): Promise<number> => {
      const stats = await Promise.all(fleet.servers.map((server) => server.command('INFO', 'commandstats')));
      return stats
        .map((text) =>
          [...String(text).matchAll(/cmdstat_eval(?:sha)?:calls=(\d+)/g)].reduce(
            (sum, [, count]) => sum + Number(count),
            0,
          ),
        )
        .reduce((sum, count) => sum + count, 0);
    };
    const grant = async (): Promise<number> => {
      const lock = await service.acquire('k', '5s');
      await lock.release();
      return lock.fencingToken;
    };
    // Connected to all, and the first grants carried out everywhere.
    await eventually(async () => (await service.health()).servers.every(({ state }) => state === 'ready'));
    const start = await calls();
    const tokens: number[] = [];
    for (let index = 0; index < 20; index++) tokens.push(await grant());
    await eventually(async () => (await calls()) >= start + 20 * 2 * 3);
    const before = await calls();
    for (let index = 0; index < 50; index++) tokens.push(await grant());
    // One for the grant and one for the release, on each of three. A server that lags ten trips behind is spared some
    // of them, and then costs one confirmation to catch up.
    await eventually(async () => (await calls()) >= before + 0.9 * 50 * 2 * 3);
    expect(await calls()).toBeLessThanOrEqual(before + 1.05 * 50 * 2 * 3);
    expect(tokens).toEqual(tokens.toSorted((one, other) => one - other));
    expect(new Set(tokens).size).toBe(tokens.length);
    expect((await service.acquire('without', '1s', { fencing: false })).fencingToken).toBe(0);
  });
});
