import { expectMatch } from '../expect-match.js';
import type { Cases } from '../probe.js';
import { acquire, extend, heal } from '../requests.js';

/** How claims are extended, and put back after a loss of data. */
export const keeping: Cases = {
  'renews what the token has': async ({ ask, pass }) => {
    // One round trip: however slow this machine is, no ttl passes between the two.
    expectMatch(await ask(acquire('t', ['k', 200]), extend('t', ['k', 5000])), [
      { outcome: 'granted' },
      { outcome: 'renewed' },
    ]);
    await pass(300);
    expectMatch(await ask(acquire('u', ['k', 200])), [{ outcome: 'denied' }]);
  },

  'P12: puts back what is absent, and says that it was': async ({ ask }) => {
    expectMatch(await ask(heal('t', ['k', 5000])), [{ outcome: 'absent' }]);
    expectMatch(await ask(heal('t', ['k', 5000]), extend('t', ['k', 5000])), [
      { outcome: 'renewed' },
      { outcome: 'renewed' },
    ]);
    expectMatch(await ask(acquire('u', ['k', 200])), [{ outcome: 'denied', holder: { token: 't' } }]);
  },

  'P12: an extension puts nothing back, and renews what is there': async ({ ask, pass }) => {
    expectMatch(await ask(extend('t', ['k', 5000]), extend('t', ['k', 5000])), [
      { outcome: 'absent' },
      { outcome: 'absent' },
    ]);
    expectMatch(await ask(acquire('t', ['a', 200]), extend('t', ['a', 5000], ['k', 5000])), [
      { outcome: 'granted' },
      { outcome: 'absent' },
    ]);
    await pass(300);
    expectMatch(await ask(acquire('u', ['a', 200]), acquire('u', ['k', 5000])), [
      { outcome: 'denied' },
      { outcome: 'granted' },
    ]);
    expectMatch(await ask(heal('t', ['a', 200], ['k', 5000])), [{ outcome: 'taken', holder: { token: 'u' } }]);
  },

  'extends nothing where one key is taken by another': async ({ ask, pass }) => {
    await ask(acquire('t', ['a', 200], ['b', 200]));
    await pass(250);
    await ask(acquire('u', ['b', 5000]));
    expectMatch(await ask(extend('t', ['a', 5000], ['b', 5000])), [
      { outcome: 'taken', holder: { key: 'b', token: 'u', owner: 'owner of u' } },
    ]);
    expectMatch(await ask(acquire('v', ['a', 200])), [{ outcome: 'granted' }]);
  },
};
