import type { Cancellation } from './cancellation.js';
import { LinkedList } from './linked-list.js';
import type { Clock } from './ports/clock.js';
import { untilOver } from './wait.js';

interface Waiter {
  readonly permits: number;
  isGranted: boolean;
  wake: () => void;
}

/** A number of permits that are given out in the order in which they are asked for. */
export class Semaphore {
  readonly #waiters = new LinkedList<Waiter>();
  #free: number;

  constructor(
    private readonly clock: Pick<Clock, 'after'>,
    /** How many permits there are. A request for more waits for all of them. */
    private readonly size: number,
  ) {
    this.#free = size;
  }

  /** Takes the permits if they are free and no other request waits for some. */
  tryAcquire(permits: number): boolean {
    if (this.#waiters.size > 0) return false;
    const wanted = Math.min(permits, this.size);
    if (wanted > this.#free) return false;
    this.#free -= wanted;
    return true;
  }

  /**
   * Waits for the permits. Resolves to false when the time is over first, and rejects when it is cancelled first: then there is
   * nothing to give back.
   */
  acquire(permits: number, timeoutMs: number, cancellation?: Cancellation): Promise<boolean> {
    if (this.tryAcquire(permits)) return Promise.resolve(true);
    const waiter: Waiter = { permits: Math.min(permits, this.size), isGranted: false, wake: () => undefined };
    const place = this.#waiters.push(waiter);
    const leave = (): void => {
      // One that waits for many permits may have kept those behind it from the few that they want.
      if (this.#waiters.remove(place)) this.#grant();
    };
    const awake = untilOver<true>(this.clock, timeoutMs, cancellation, (resolve) => {
      waiter.wake = () => {
        resolve(true);
      };
    });
    return awake.then(
      () => {
        leave();
        return waiter.isGranted;
      },
      (reason: unknown) => {
        if (waiter.isGranted) this.release(permits);
        leave();
        throw reason;
      },
    );
  }

  release(permits: number): void {
    this.#free += Math.min(permits, this.size);
    this.#grant();
  }

  #grant(): void {
    for (let place = this.#waiters.first; place !== undefined; place = this.#waiters.first) {
      if (place.value.permits > this.#free) return;
      this.#free -= place.value.permits;
      this.#waiters.remove(place);
      place.value.isGranted = true;
      place.value.wake();
    }
  }
}
