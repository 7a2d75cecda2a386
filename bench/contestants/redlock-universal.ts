import { createRedlock, IoredisAdapter } from 'redlock-universal';
import { connect } from './clients.js';
import { RETRIES, RETRY_MS, TTL_MS, WAITED_TTL_MS, type Contestant, type Kept } from './contestant.js';
import { keptBy } from './kept-by.js';

export async function open(urls: readonly string[]): Promise<Contestant> {
  return new RedlockUniversal((await connect(urls)).map((client) => new IoredisAdapter(client)));
}

class RedlockUniversal implements Contestant {
  constructor(private readonly adapters: IoredisAdapter[]) {}

  async cycle(key: string): Promise<void> {
    const lock = this.#lock(key, TTL_MS);
    await lock.release(await lock.acquire());
  }

  async tryOnce(key: string): Promise<boolean> {
    return await this.#lock(key, TTL_MS)
      .acquire()
      .then(
        () => true,
        () => false,
      );
  }

  async take(key: string, waitMs: number): Promise<(() => Promise<unknown>) | undefined> {
    const lock = this.#lock(key, WAITED_TTL_MS, RETRIES);
    const endMs = performance.now() + waitMs;
    while (performance.now() < endMs) {
      const handle = await lock.acquire().catch(() => undefined);
      if (handle !== undefined) return () => lock.release(handle);
    }
    return undefined;
  }

  keep(key: string, ttlMs: number): Promise<Kept> {
    return keptBy((routine) => this.#lock(key, ttlMs).using(routine));
  }

  #lock(key: string, ttl: number, retryAttempts = 0): ReturnType<typeof createRedlock> {
    return createRedlock({ adapters: this.adapters, key, ttl, retryAttempts, retryDelay: RETRY_MS });
  }
}
