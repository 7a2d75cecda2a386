import type { Cancel, Clock } from '../core/ports/clock.js';

/** A server that does not vote is asked again after this time, and then after longer and longer times. */
const LEAST_MS = 500;
const MOST_MS = 4000;

/** Asks a server again that is connected but does not vote: automatically after a while, and earlier when a caller wants a lock. */
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

  /** A caller wants a lock. */
  hurry(): void {
    if (this.#dueAtMs !== Infinity && this.clock.nowMs() >= this.#dueAtMs) this.#run();
  }

  /** The server votes, or its connection has ended. */
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
