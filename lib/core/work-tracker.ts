import type { Clock } from './ports/clock.js';
import { withinMs } from './wait.js';

/** Counts the work in flight, so that somebody can wait for its end. */
export class WorkTracker {
  #running = 0;
  #onIdle: (() => void)[] = [];

  constructor(private readonly clock: Clock) {}

  get size(): number {
    return this.#running;
  }

  begin(): void {
    this.#running++;
  }

  end(): void {
    this.#running--;
    if (this.#running > 0) return;
    for (const resolve of this.#onIdle.splice(0)) resolve();
  }

  /** Waits until nothing runs, but not longer than this. Returns whether nothing does. */
  async settleWithin(timeoutMs: number): Promise<boolean> {
    if (this.#running === 0) return true;
    const idle = new Promise<true>((resolve) => {
      this.#onIdle.push(() => {
        resolve(true);
      });
    });
    return (await withinMs(this.clock, idle, timeoutMs)) ?? false;
  }
}
