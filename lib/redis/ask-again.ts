import type { Cancel, Clock } from '../core/ports/clock.js';

/** A server that does not vote is asked again after this time, and then at growing distances. */
const LEAST_MS = 500;
const MOST_MS = 4000;

/** When to ask a server again that is connected but does not vote: by itself after a while, and sooner when a lock is wanted. */
export class AskAgain {
  #failures = 0;
  #dueAtMs = Infinity;
  #cancel: Cancel = () => undefined;

  constructor(
    private readonly clock: Clock,
    private readonly ask: () => void,
  ) {}

  plan(): void {
    const delayMs = Math.min(MOST_MS, LEAST_MS * 2 ** Math.min(this.#failures++, 10));
    this.#cancel();
    this.#dueAtMs = this.clock.nowMs() + LEAST_MS;
    this.#cancel = this.clock.after(
      delayMs,
      () => {
        this.#run();
      },
      'background',
    );
  }

  /** A lock is wanted. */
  hurry(): void {
    if (this.clock.nowMs() >= this.#dueAtMs) this.#run();
  }

  /** The server votes, or its connection is over. */
  reset(): void {
    this.#cancel();
    this.#dueAtMs = Infinity;
    this.#failures = 0;
  }

  #run(): void {
    this.#cancel();
    this.#dueAtMs = Infinity;
    this.ask();
  }
}
