import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { QuorumUnreachableError, RedlockService } from 'redlock-nestjs';
import { RedlockLockStore } from 'redlock-nestjs/lock-store';
import { RedlockMemory, RedlockTestingModule } from 'redlock-nestjs/testing';

const TTL_MS = 2400;
const HALF_MS = TTL_MS / 2;
const THIRTY_DAYS_MS = 30 * 24 * 3600 * 1000;

// These are the rules that the documentation of @nestjs/locks states for a LockStore. The package itself is not installed here.
describe('the store for @nestjs/locks', () => {
  const apps: TestingModule[] = [];
  /** Of two processes that share their servers. */
  let store: RedlockLockStore;
  let other: RedlockLockStore;

  beforeEach(async () => {
    jest.useFakeTimers();
    const memory = new RedlockMemory();
    [store, other] = [await boot(memory), await boot(memory)];
  });
  afterEach(async () => {
    for (const app of apps.splice(0)) await app.close();
    jest.useRealTimers();
  });

  async function boot(memory: RedlockMemory): Promise<RedlockLockStore> {
    const imports = [RedlockTestingModule.forRoot({ memory, fencing: false, wait: '5s' })];
    const app = await Test.createTestingModule({ imports }).compile();
    apps.push(await app.init());
    return new RedlockLockStore(app.get(RedlockService));
  }

  async function acquired(from: RedlockLockStore, owner: string, ttl = TTL_MS): Promise<number> {
    const result = await from.acquire('k', owner, ttl);
    if (!result.acquired) throw new Error(`${owner} did not acquire the key.`);
    return result.fencingToken;
  }

  it('takes a free key once, and no other owner takes it, nor the same one again', async () => {
    expect(await acquired(store, 'a')).toBeGreaterThanOrEqual(1);
    for (const [from, owner] of [
      [store, 'a'],
      [store, 'b'],
      [other, 'b'],
    ] as const) {
      expect(await from.acquire('k', owner, TTL_MS)).toEqual({ acquired: false });
    }
    expect(await store.renew('k', 'a', TTL_MS)).toBe(true);
  });

  it('P2: frees the key for its owner only, and the next fencing token is larger, also where the module has fencing off', async () => {
    const first = await acquired(store, 'a');
    expect(await store.release('k', 'b')).toBe(false);
    expect(await other.acquire('k', 'b', TTL_MS)).toEqual({ acquired: false });
    expect(await store.release('k', 'a')).toBe(true);
    expect(await store.release('k', 'a')).toBe(false);
    const second = await acquired(other, 'b');
    expect(second).toBeGreaterThan(first);
    expect(Number.isSafeInteger(second)).toBe(true);
  });

  it('knows nothing of a key that was never acquired', async () => {
    expect(await store.renew('k', 'a', TTL_MS)).toBe(false);
    expect(await store.release('k', 'a')).toBe(false);
  });

  it('extends the lock with a renewal and not by itself, and an expired lock does not come back', async () => {
    await acquired(store, 'a');
    await jest.advanceTimersByTimeAsync(HALF_MS);
    expect(await store.renew('k', 'a', TTL_MS)).toBe(true);
    expect(await store.renew('k', 'b', TTL_MS)).toBe(false);
    await jest.advanceTimersByTimeAsync(HALF_MS + 100);
    expect(await other.acquire('k', 'b', TTL_MS)).toEqual({ acquired: false });
    await jest.advanceTimersByTimeAsync(HALF_MS);
    expect(await store.renew('k', 'a', TTL_MS)).toBe(false);
    await acquired(other, 'b');
  });

  it('lets another owner take an expired lock over, with a larger token, and the former owner frees nothing', async () => {
    const stale = await acquired(store, 'paused');
    await jest.advanceTimersByTimeAsync(TTL_MS + 100);
    expect(await acquired(store, 'next')).toBeGreaterThan(stale);
    expect(await store.renew('k', 'paused', TTL_MS)).toBe(false);
    expect(await store.release('k', 'paused')).toBe(false);
    expect(await other.acquire('k', 'late', TTL_MS)).toEqual({ acquired: false });
    expect(await store.release('k', 'next')).toBe(true);
  });

  it('says that an expired lock was not released, also where no timer has noticed its end', async () => {
    const abort = new AbortController();
    const release = (): Promise<void> => {
      abort.abort();
      return Promise.resolve();
    };
    const expired = { ...lockThat(release), signal: abort.signal };
    const blocked = new RedlockLockStore({ acquire: () => Promise.resolve(expired) });
    await blocked.acquire('k', 'a', TTL_MS);
    expect(await blocked.release('k', 'a')).toBe(false);
  });

  it('P1: of many callers in two processes one acquires the key, in each of many rounds', async () => {
    let last = 0;
    for (let round = 0; round < 5; round++) {
      const owners = Array.from({ length: 16 }, (_, index) => `${round}-${index}`);
      const from = (index: number): RedlockLockStore => (index % 2 === 0 ? store : other);
      const results = await Promise.all(owners.map((owner, index) => from(index).acquire('k', owner, TTL_MS)));
      const winners = results.flatMap((result, index) => (result.acquired ? [{ index, ...result }] : []));
      expect(winners).toHaveLength(1);
      for (const { index, fencingToken } of winners) {
        expect(fencingToken).toBeGreaterThan(last);
        last = fencingToken;
        expect(await from(index).release('k', owners[index] ?? '')).toBe(true);
      }
    }
  });

  it('keeps keys apart exactly, and takes a ttl of weeks', async () => {
    const long = 'ż'.repeat(499);
    const keys = [
      'k',
      'K',
      'k ',
      ' k',
      'k\t',
      'a:owner',
      '🔒',
      '\u00e9',
      'e\u0301',
      '__proto__',
      `${long}x`,
      `${long}y`,
    ];
    for (const key of keys) expect(await store.acquire(key, key, THIRTY_DAYS_MS)).toMatchObject({ acquired: true });
    await jest.advanceTimersByTimeAsync(TTL_MS);
    for (const key of keys) {
      expect(await other.acquire(key, 'another', TTL_MS)).toEqual({ acquired: false });
      expect(await store.renew(key, key, THIRTY_DAYS_MS)).toBe(true);
      expect(await store.release(key, key)).toBe(true);
    }
  });

  it('P7: rejects where too few servers answer, and does not say that the lock is held or gone', async () => {
    const error = new QuorumUnreachableError('acquire', ['k'], 3, []);
    const failing = lockThat(() => Promise.reject(error));
    const unreachable = new RedlockLockStore({ acquire: () => Promise.reject(error) });
    await expect(unreachable.acquire('k', 'a', TTL_MS)).rejects.toBe(error);
    const lost = new RedlockLockStore({ acquire: () => Promise.resolve(failing) });
    await lost.acquire('k', 'a', TTL_MS);
    await expect(lost.renew('k', 'a', TTL_MS)).rejects.toBe(error);
    await expect(lost.release('k', 'a')).rejects.toBe(error);
  });

  it('registers where a class of the application says so, as the documentation of @nestjs/locks has it', async () => {
    class LocksStorage {
      readonly sources: object[] = [];
      registerSource(source: object): void {
        this.sources.push(source);
      }
    }
    @Injectable()
    class LocksOnRedlock extends RedlockLockStore {
      constructor(redlock: RedlockService, storage: LocksStorage) {
        super(redlock);
        storage.registerSource(this);
      }
    }
    const imports = [RedlockTestingModule.forRoot()];
    const app = await Test.createTestingModule({ imports, providers: [LocksStorage, LocksOnRedlock] }).compile();
    apps.push(await app.init());
    const [source] = app.get(LocksStorage).sources;
    expect(source).toBe(app.get(LocksOnRedlock));
    for (const method of ['acquire', 'renew', 'release']) expect(source).toHaveProperty(method, expect.any(Function));
  });
});

type LockLike = Awaited<ReturnType<RedlockService['acquire']>>;

/** A lock whose servers do this. */
function lockThat(answer: () => Promise<void>): LockLike {
  const signal = new AbortController().signal;
  const nothing = (): void => undefined;
  return {
    ...{ keys: ['k'], token: 't', fencingToken: 1, signal, remaining: 1000 },
    ...{ isHeld: () => true, assertHeld: nothing, extend: answer, release: answer, [Symbol.asyncDispose]: answer },
  };
}
