import type { Clock } from './ports/clock.js';
import { withinMs } from './wait.js';

/** Knows the work in flight, so that somebody can wait for it. */
export class WorkTracker {
  readonly #running = new Set<Promise<unknown>>();

  constructor(private readonly clock: Clock) {}

  get size(): number {
    return this.#running.size;
  }

  async track<T>(work: () => Promise<T>): Promise<T> {
    const running = work();
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  /** Waits until nothing runs any more, well or not, also of what begins meanwhile. */
  async settle(): Promise<void> {
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
  }

  /** Waits until what runs now has ended, well or not, but not longer than this. Returns whether it has. */
  async settleWithin(timeoutMs: number): Promise<boolean> {
    if (this.#running.size === 0) return true;
    const settled = Promise.allSettled(this.#running).then(() => true);
    return (await withinMs(this.clock, settled, timeoutMs)) ?? false;
  }
}
