import type { RedlockHealth } from '../interfaces/index.js';
import type { RedlockService } from '../redlock.service.js';

/** Several readers of metrics that collect at about the same time share one check of the servers. */
const FRESH_MS = 5_000;

/** What `health()` says, at most once in some seconds: each check takes a lock on each server and gives it back. */
export class HealthReader {
  #latest: Promise<RedlockHealth | undefined> | undefined;
  #readAtMs = 0;

  constructor(private readonly service: RedlockService) {}

  /** Settles within one `nodeTimeout`, as `health()` does. `undefined` once the application shuts down: no connection is made then. */
  async read(): Promise<RedlockHealth | undefined> {
    if (this.service.isClosed) return undefined;
    const nowMs = performance.now();
    if (this.#latest === undefined || nowMs - this.#readAtMs >= FRESH_MS) {
      this.#readAtMs = nowMs;
      this.#latest = this.service.health();
    }
    return await this.#latest;
  }
}
