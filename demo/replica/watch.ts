import { AsyncLocalStorage } from 'node:async_hooks';
import { Invoices } from '../app/invoices.js';
import { Mailer } from '../app/mailer.js';
import type { TickMessage } from '../messages.js';
import { around } from './around.js';

const PERIOD_MS = 1_000;
/** Timers may be a little early. */
const EARLY_MS = 20;

interface Firing {
  readonly tickMs: number;
  began: boolean;
}

/**
 * Tells what becomes of each firing of the job. Its tick is known from the moment at which it is fired: afterwards it may
 * have to wait for the run before it. It is the tick of this replica's own clock, right or wrong.
 */
export function watch(tell: (message: TickMessage) => void): void {
  const firings = new AsyncLocalStorage<Firing>();

  around(Invoices.prototype, 'sendInvoices', (proceed) => {
    const tickMs = Math.floor((Date.now() + EARLY_MS) / PERIOD_MS) * PERIOD_MS;
    const firing: Firing = { tickMs, began: false };
    return firings.run(firing, async () => {
      try {
        await proceed();
        tell({ tickMs, what: firing.began ? 'ended' : 'skipped' });
      } catch (error) {
        tell({ tickMs, what: 'failed', error: error instanceof Error ? error.message : String(error) });
        throw error;
      }
    });
  });

  // Runs only under the lock.
  around(Mailer.prototype, 'sendInvoices', (proceed) => {
    const firing = firings.getStore();
    if (firing !== undefined) {
      firing.began = true;
      tell({ tickMs: firing.tickMs, what: 'began' });
    }
    return proceed();
  });
}
