import type { Clock } from './ports/clock.js';
import { untilOver } from './wait.js';

/** One piece of work in flight. */
export type Work = object;

/** Knows the work in flight, so that the shutdown can wait for it. */
export class WorkTracker {
  readonly #running = new Set<Work>();
  readonly #waits = new Set<{ readonly left: Set<Work>; readonly onOver: () => void }>();

  constructor(private readonly clock: Clock) {}

  get size(): number {
    return this.#running.size;
  }

  begin(): Work {
    const work = {};
    this.#running.add(work);
    return work;
  }

  end(work: Work): void {
    this.#running.delete(work);
    for (const { left, onOver } of this.#waits) if (left.delete(work) && left.size === 0) onOver();
  }

  /**
   * Waits until what runs now has ended, but not longer than this. What begins meanwhile is not waited for: under steady traffic that
   * would never end. Returns whether it has ended.
   */
  async settleWithin(timeoutMs: number): Promise<boolean> {
    if (this.#running.size === 0) return true;
    const left = new Set(this.#running);
    const over = await untilOver<true>(this.clock, timeoutMs, undefined, (resolve) => {
      const wait = {
        left,
        onOver: () => {
          this.#waits.delete(wait);
          resolve(true);
        },
      };
      this.#waits.add(wait);
    });
    return over ?? false;
  }
}
