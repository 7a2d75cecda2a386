import type { Cancel, Clock } from '../../lib/core/ports/clock.js';

interface Timer {
  readonly atMs: number;
  readonly order: number;
  readonly callback: () => void;
}

/** Time that passes only when a test says so. Timers that are due at the same instant run in the order they were set. */
export class VirtualClock implements Clock {
  #nowMs: number;
  /** How far the time of day is ahead of the monotonic clock. */
  #wallAheadMs = 1_700_000_000_000;
  #order = 0;
  #timers: Timer[] = [];

  constructor(startMs = 1_000_000) {
    this.#nowMs = startMs;
  }

  get pending(): number {
    return this.#timers.length;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#nowMs + this.#wallAheadMs;
  }

  after(delayMs: number, callback: () => void): Cancel {
    const timer = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((each) => each !== timer);
    };
  }

  afterInput(callback: () => void): void {
    callback();
  }

  atEndOfTurn(callback: () => void): void {
    process.nextTick(callback);
  }

  /** Lets time pass, timer by timer, with everything that each of them sets off. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + Math.max(0, ms);
    await turn();
    for (let next = this.#next(untilMs); next !== undefined; next = this.#next(untilMs)) {
      this.#timers = this.#timers.filter((each) => each !== next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.callback();
      await turn();
    }
    this.#nowMs = Math.max(this.#nowMs, untilMs);
  }

  /** The event loop stands still for so long: time passes, no timer runs. */
  stall(ms: number): void {
    this.#nowMs += ms;
  }

  /** The machine is suspended for so long, or its wall clock is set forward: the monotonic clock counts nothing of it. */
  suspend(ms: number): void {
    this.#wallAheadMs += ms;
  }

  /** Lets time pass until the promise settles, and gives what it came to and how long that took. */
  async settle<T>(promise: Promise<T>, withinMs = 3_600_000): Promise<{ value?: T; error?: unknown; tookMs: number }> {
    const startMs = this.#nowMs;
    let outcome: { value?: T; error?: unknown } | undefined;
    promise.then(
      (value) => (outcome = { value }),
      (error: unknown) => (outcome = { error }),
    );
    await turn();
    while (outcome === undefined) {
      const next = this.#next(startMs + withinMs);
      if (next === undefined) throw new Error(`Nothing has settled within ${withinMs} virtual ms.`);
      await this.advance(next.atMs - this.#nowMs);
    }
    return { ...outcome, tookMs: this.#nowMs - startMs };
  }

  #next(untilMs: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.atMs > untilMs) continue;
      if (!next || timer.atMs < next.atMs || (timer.atMs === next.atMs && timer.order < next.order)) next = timer;
    }
    return next;
  }
}

/** Everything that promises and ticks have to do, without any time. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
