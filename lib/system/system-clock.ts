import { MessageChannel } from 'node:worker_threads';
import type { Cancel, Clock } from '../core/ports/clock.js';
import { TimerQueue } from './timer-queue.js';

/*
 * Taken at import. In the tests of an application fake timers replace these by default (`jest.useFakeTimers()`,
 * `vi.useFakeTimers()`), and then a call would hang until time is advanced, although nothing in it waits for time. The timers
 * and the clocks are looked up at the call: a wait, a ttl and a tick pass as the test says.
 *
 * Where a test has faked them before this file is loaded (the fakes have a property `clock`), others do that no test fakes.
 */
const { setImmediate } = globalThis;
const afterInput = 'clock' in setImmediate ? byMessage : setImmediate;
const ticker: { readonly nextTick: (callback: () => void) => void } = process;
const nextTick = ticker.nextTick.bind(process);
const atEndOfTurn = 'clock' in (ticker as { nextTick: object }).nextTick ? afterPromises : nextTick;

function byMessage(callback: () => void): void {
  const { port1, port2 } = new MessageChannel();
  port1.once('message', () => {
    port1.close();
    callback();
  });
  port2.postMessage(undefined);
}

function afterPromises(callback: () => void): void {
  void Promise.resolve().then(callback);
}

export class SystemClock implements Clock {
  /** Under fake timers each has one of its own: what they count need not be what the clock says. */
  #timers: TimerQueue | undefined;

  nowMs(): number {
    return performance.now();
  }

  wallMs(): number {
    return Date.now();
  }

  after(delayMs: number, callback: () => void, background?: 'background'): Cancel {
    const queue = 'clock' in globalThis.setTimeout ? new TimerQueue(true) : (this.#timers ??= new TimerQueue());
    return queue.after(delayMs, callback, background === undefined);
  }

  afterInput(callback: () => void): void {
    afterInput(callback); // Timers come before input, and this after it.
  }

  atEndOfTurn(callback: () => void): void {
    atEndOfTurn(callback);
  }
}
