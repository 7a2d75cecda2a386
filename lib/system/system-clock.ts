import type { Cancel, Clock } from '../core/ports/clock.js';

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
    setImmediate(callback); // Timers come before input, and this after it.
  }

  atEndOfTurn(callback: () => void): void {
    process.nextTick(callback);
  }
}
