import { expectMatch } from '../expect-match.js';
import type { Cases } from '../probe.js';
import { acquire, extend, heal, release, remove, telling, waiting, make } from '../requests.js';

/** Which changes a lock node publishes to its listeners (P14). */
export const notifying: Cases = {
  'P14: tells its listeners that a key was released, and how many they are': async ({ ask, listen }) => {
    const [one, other, elsewhere] = [await listen('c'), await listen('c'), await listen('d')];
    await ask(acquire('t', ['k', 5000]), waiting(acquire('u', ['k', 5000])));
    expectMatch(await ask(telling(release('t', ['k', 0]), 'c')), [{ outcome: 'released', gone: false }]);
    await one.hears(1);
    await other.hears(1);
    expectMatch(one.told, other.told);
    expectMatch(elsewhere.told, []);
  },

  'P14: tells no listener of what was not released, or without a channel': async ({ ask, listen }) => {
    const listener = await listen('c');
    const u = waiting(acquire('u', ['k', 5000]));
    await ask(acquire('t', ['k', 5000]), telling(u, 'c'), telling(release('u', ['k', 0]), 'c'));
    await ask(release('t', ['k', 0]), telling(remove('t', 'k'), 'c'));
    await ask(acquire('t', ['k', 5000]), u, telling(remove('u', 'k'), 'c'), telling(remove('t', 'k'), 'c'));
    await listener.hears(1);
  },

  'P14: tells that a key is released later, and again when it is put back or extended for less': async ({
    ask,
    listen,
  }) => {
    const listener = await listen('c');
    await ask(acquire('t', ['k', 60_000]), waiting(acquire('u', ['k', 5000])));
    await ask(telling(release('t', ['k', 40_000]), 'c'));
    await listener.hears(1);
    await ask(telling(extend('t', ['k', 30_000]), 'c'), extend('t', ['k', 20_000]));
    await listener.hears(2);
    await ask(telling(heal('t', ['k', 10_000]), 'c'), telling(release('t', ['k', 0]), 'c'));
    await listener.hears(4);
  },

  'P14: tells of an extension where it is asked to, and of what it is only asked to tell': async ({ ask, listen }) => {
    const listener = await listen('c');
    await ask(acquire('t', ['k', 60_000]), waiting(acquire('u', ['k', 1000])), extend('t', ['k', 60_000]));
    await ask(telling(extend('t', ['k', 1000]), 'c'));
    await listener.hears(1);
    expectMatch(await ask(telling(make('tell', '-', [['k', 0]]), 'c')), [{ outcome: 'told' }]);
    await listener.hears(2);
    expectMatch(await ask(acquire('u', ['k', 1000])), [{ outcome: 'denied' }]);
  },

  'P14: tells no listener that was cancelled, and one that listens again': async ({ ask, listen }) => {
    const listener = await listen('c');
    listener.cancel();
    const again = await listen('c');
    await ask(acquire('t', ['k', 5000]), waiting(acquire('u', ['k', 5000])), telling(release('t', ['k', 0]), 'c'));
    await again.hears(1);
    expectMatch(listener.told, []);
  },
};
