import { AsyncLocalStorage } from 'node:async_hooks';
import { currentLock } from 'redlock-nestjs';
import { Invoices } from '../app/invoices.js';
import { Mailer } from '../app/mailer.js';
import type { TickMessage } from '../messages.js';
import { around } from './around.js';
import { clockOffsetMs } from './clock.js';

const PERIOD_MS = 1_000;
/** Timers may be a little early. */
const EARLY_MS = 20;

interface Firing {
  tickMs: number;
  readonly offsetMs: number;
  began: boolean;
}

/**
 * Tells what becomes of each firing of the job. Its tick is known from the moment at which it is fired: afterwards it may
 * have to wait for the run before it. It is the tick of this replica's own clock, right or wrong.
 *
 * A replica asks for the lock some milliseconds after it has fired. Where its clock is set in between, it asks for the newest tick by the
 * new time, so its run is one of that tick: the lock knows it.
 */
export function watch(tell: (message: TickMessage) => void): void {
  const firings = new AsyncLocalStorage<Firing>();

  around(Invoices.prototype, 'sendInvoices', (proceed) => {
    const tickMs = Math.floor((Date.now() + EARLY_MS) / PERIOD_MS) * PERIOD_MS;
    const firing: Firing = { tickMs, offsetMs: clockOffsetMs(), began: false };
    return firings.run(firing, async () => {
      try {
        await proceed();
        tell({ tickMs: firing.tickMs, what: firing.began ? 'ended' : 'skipped' });
      } catch (error) {
        tell({ tickMs: firing.tickMs, what: 'failed', error: error instanceof Error ? error.message : String(error) });
        throw error;
      }
    });
  });

  // Runs only under the lock.
  around(Mailer.prototype, 'sendInvoices', (proceed) => {
    const firing = firings.getStore();
    if (firing !== undefined) {
      firing.began = true;
      if (clockOffsetMs() !== firing.offsetMs) firing.tickMs = currentLock()?.tick?.getTime() ?? firing.tickMs;
      tell({ tickMs: firing.tickMs, what: 'began' });
    }
    return proceed();
  });
}
