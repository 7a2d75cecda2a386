import type { Redis } from 'ioredis';
import { RedlockMutex } from 'redis-semaphore';
import { connect } from './clients.js';
import { RETRY_MS, TTL_MS, WAITED_TTL_MS, type Contestant, type Kept } from './contestant.js';

export async function open(urls: readonly string[]): Promise<Contestant> {
  return new RedisSemaphore(await connect(urls));
}

/** Without its timer for extensions (`refreshInterval: 0`) where the lock is given back at once. */
class RedisSemaphore implements Contestant {
  constructor(private readonly clients: Redis[]) {}

  async cycle(key: string): Promise<void> {
    const mutex = new RedlockMutex(this.clients, key, { lockTimeout: TTL_MS, refreshInterval: 0 });
    await mutex.acquire();
    await mutex.release();
  }

  async tryOnce(key: string): Promise<boolean> {
    // It pauses after the last attempt, too: with 0 as short as it can be.
    const once = { acquireAttemptsLimit: 1, retryInterval: 0 };
    const mutex = new RedlockMutex(this.clients, key, { lockTimeout: TTL_MS, refreshInterval: 0, ...once });
    return await mutex.tryAcquire();
  }

  async take(key: string, waitMs: number): Promise<(() => Promise<unknown>) | undefined> {
    const waiting = { acquireTimeout: waitMs, retryInterval: RETRY_MS };
    const mutex = new RedlockMutex(this.clients, key, { lockTimeout: WAITED_TTL_MS, refreshInterval: 0, ...waiting });
    return (await mutex.tryAcquire()) ? () => mutex.release() : undefined;
  }

  async keep(key: string, ttlMs: number): Promise<Kept> {
    let held = true;
    const onLockLost = (): void => {
      held = false;
    };
    const mutex = new RedlockMutex(this.clients, key, { lockTimeout: ttlMs, onLockLost });
    await mutex.acquire();
    return { isHeld: () => held, stop: () => mutex.release() };
  }
}
