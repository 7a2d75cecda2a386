import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Test, type TestingModule } from '@nestjs/testing';
import { Redis, type RedisOptions } from 'ioredis';
import { RedlockModule, RedlockService, type RedlockServer } from 'redlock-nestjs';
import { REDLOCK_SERVERS, RedlockMemory, RedlockTestingModule } from 'redlock-nestjs/testing';

describe('a memory that is cleared', () => {
  const memory = new RedlockMemory();
  let app: TestingModule;
  let service: RedlockService;
  beforeEach(async () => {
    app = await Test.createTestingModule({ imports: [RedlockTestingModule.forRoot({ memory })] }).compile();
    service = app.get(RedlockService);
  });
  afterEach(async () => {
    memory.clear();
    await app.close();
  });

  it('has no lock and no tick that has run', async () => {
    const tick = new Date('2026-03-01T02:00:00Z');
    const run = async (): Promise<string | undefined> =>
      await service.withLock('k', '5s', () => Promise.resolve('ran'), { tick, wait: 0, onContended: 'skip' });
    expect([await run(), await run()]).toEqual(['ran', undefined]);
    await service.acquire('held', '5s');
    memory.clear();
    expect(await run()).toBe('ran');
    expect(await service.tryAcquire('held', '5s')).not.toBeNull();
  });

  it('P6: lets timers have their turn in a rush of calls, so that a lock that is held is extended in time', async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    const work = (): Promise<void> => Promise.resolve();
    const rows = Array.from({ length: 5000 }, (_, row) => service.withLock(`row:${row}`, '10s', work, { wait: '2m' }));
    await Promise.all(rows);
    clearInterval(timer);
    expect(turns).toBeGreaterThan(3);
  });

  it('P2: gives larger fencing tokens than before all the same', async () => {
    const before = await service.acquire('k', '5s');
    memory.clear();
    const after = await service.tryAcquire('k', '5s');
    expect(after?.fencingToken).toBeGreaterThan(before.fencingToken);
  });

  it('P2: and the first of them are ahead of those of an earlier run', async () => {
    const startMs = Date.now();
    const { fencingToken } = await service.acquire('another', '5s');
    expect(fencingToken).toBeGreaterThan(startMs * 1000);
    expect(Number.isSafeInteger(fencingToken)).toBe(true);
  });

  it('P6: takes their locks from those who hold them, who notice with the next extension', async () => {
    const lock = await service.acquire('k', '5s');
    memory.clear();
    await expect(lock.extend()).rejects.toThrow('k');
    expect([lock.isHeld(), lock.signal.aborted]).toEqual([false, true]);
  });
});

describe('the servers of a memory', () => {
  const memory = new RedlockMemory();
  const given: Redis[] = [];
  const apps: TestingModule[] = [];
  afterEach(async () => {
    for (const app of apps.splice(0)) await app.close();
    for (const client of given.splice(0)) client.disconnect();
    memory.clear();
  });

  async function serve(server: RedlockServer): Promise<RedlockService> {
    const builder = Test.createTestingModule({ imports: [RedlockModule.forRoot({ servers: server })] });
    const app = await builder.overrideProvider(REDLOCK_SERVERS).useValue(memory).compile();
    apps.push(app);
    return app.get(RedlockService);
  }
  const client = (options: RedisOptions): Redis => {
    const made = new Redis({ host: 'h', lazyConnect: true, ...options });
    given.push(made);
    return made;
  };

  it.each<[string, RedlockServer, () => RedlockServer]>([
    ['databases in the url', 'redis://h:6379/1', () => 'redis://h:6379/2'],
    ['a database in the url, and none', 'redis://h:6379/1', () => 'h:6379'],
    ['databases in the options', { host: 'h', db: 1 }, () => ({ host: 'h', db: 2 })],
    ['key prefixes in the options', { host: 'h', keyPrefix: 'a:' }, () => ({ host: 'h', keyPrefix: 'b:' })],
    ['a key prefix of a client that was given', 'redis://h:6379', () => client({ keyPrefix: 'a:' })],
    ['a database of a client that was given', 'redis://h:6379', () => client({ db: 3 })],
  ])('P1: know nothing of each other with different %s, as on a Redis', async (_, one, other) => {
    const services = [await serve(one), await serve(other())];
    for (const service of services) expect(await service.tryAcquire('k', '5s')).not.toBeNull();
  });

  it.each<[string, RedlockServer, () => RedlockServer]>([
    ['a url and options', 'redis://h:6379/1', () => ({ host: 'h', db: 1 })],
    ['a url and a client', 'redis://user:secret@h:6379', () => client({ db: 0 })],
    ['two ways to name the first database', 'redis://h/0', () => 'h:6379'],
  ])('P1: are one where they are the same keys: %s', async (_, one, other) => {
    const services = [await serve(one), await serve(other())];
    expect(await services[0]?.tryAcquire('k', '5s')).not.toBeNull();
    expect(await services[1]?.tryAcquire('k', '5s')).toBeNull();
    expect((await services[1]?.health())?.servers.map(({ server }) => server)).toEqual(['h:6379']);
  });
});
