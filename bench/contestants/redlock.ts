import Redlock from 'redlock';
import { connect } from './clients.js';
import { RETRIES, RETRY_MS, TTL_MS, WAITED_TTL_MS, type Contestant, type Kept } from './contestant.js';
import { keptBy } from './kept-by.js';

export async function open(urls: readonly string[]): Promise<Contestant> {
  return new RedlockContestant(new Redlock(await connect(urls), { retryDelay: RETRY_MS, retryJitter: RETRY_MS }));
}

/** `redlock` 5, and what is derived from it. */
export class RedlockContestant implements Contestant {
  constructor(private readonly redlock: Redlock) {
    // Each vote against it is an event.
    redlock.on('error', () => undefined);
  }

  async cycle(key: string): Promise<void> {
    const lock = await this.redlock.acquire([key], TTL_MS);
    await lock.release();
  }

  async tryOnce(key: string): Promise<boolean> {
    return await this.redlock.acquire([key], TTL_MS, { retryCount: 0 }).then(
      () => true,
      () => false,
    );
  }

  async take(key: string, waitMs: number): Promise<(() => Promise<unknown>) | undefined> {
    const endMs = performance.now() + waitMs;
    while (performance.now() < endMs) {
      const asked = this.redlock.acquire([key], WAITED_TTL_MS, { retryCount: RETRIES });
      const lock = await asked.catch(() => undefined);
      if (lock !== undefined) return () => lock.release();
    }
    return undefined;
  }

  keep(key: string, ttlMs: number): Promise<Kept> {
    return keptBy((routine) => this.redlock.using([key], ttlMs, routine));
  }
}
