import type { Cancel, Clock } from '../core/ports/clock.js';

/*
 * Taken at import. In the tests of an application fake timers replace these by default (`jest.useFakeTimers()`,
 * `vi.useFakeTimers()`), and then a call would hang until time is advanced, although nothing in it waits for time. The timers
 * and the clocks are looked up at the call: a wait, a ttl and a tick pass as the test says.
 */
const { setImmediate: afterInput } = globalThis;
const nextTick = process.nextTick.bind(process);

/** A longer delay overflows Node's timers, which then fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export class SystemClock implements Clock {
  nowMs(): number {
    return performance.now();
  }

  wallMs(): number {
    return Date.now();
  }

  after(delayMs: number, callback: () => void, background?: 'background'): Cancel {
    const dueAtMs = this.nowMs() + delayMs;
    let timer: NodeJS.Timeout;
    const arm = (): void => {
      const leftMs = dueAtMs - this.nowMs();
      const far = leftMs > LONGEST_TIMER_MS;
      timer = setTimeout(far ? arm : callback, far ? LONGEST_TIMER_MS : leftMs);
      if (background) timer.unref();
    };
    arm();
    return () => {
      clearTimeout(timer);
    };
  }

  afterInput(callback: () => void): void {
    afterInput(callback); // Timers come before input, and this after it.
  }

  atEndOfTurn(callback: () => void): void {
    nextTick(callback);
  }
}
