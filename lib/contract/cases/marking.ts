import { expectMatch } from '../expect-match.js';
import type { Cases } from '../probe.js';
import { acquire, extend, heal, release, remove, telling, waiting, make } from '../requests.js';

/** For which claims it publishes: those for which a waiter was denied (P14). */
export const marking: Cases = {
  'P14: tells no listener of a lock that no waiter was denied: an acquire that does not wait counts not, nor does the lock before':
    async ({ ask, listen }) => {
      const listener = await listen('c');
      const unheard = { outcome: 'released', heard: 0, gone: false };
      await ask(acquire('t', ['k', 5000]), acquire('u', ['k', 5000]), extend('t', ['k', 60_000]));
      await ask(telling(extend('t', ['k', 5000]), 'c'));
      expectMatch(await ask(telling(release('t', ['k', 100]), 'c'), telling(release('t', ['k', 0]), 'c')), [
        unheard,
        unheard,
      ]);
      await ask(acquire('t', ['k', 5000]), waiting(acquire('u', ['k', 5000])), release('t', ['k', 0]));
      await ask(acquire('v', ['k', 5000]));
      expectMatch(await ask(telling(release('v', ['k', 0]), 'c')), [unheard]);
      await ask(waiting(acquire('t', ['k', 5000])), waiting(acquire('t', ['k', 5000])));
      expectMatch(await ask(telling(remove('t', 'k'), 'c')), [{ outcome: 'released', heard: 0 }]);
      await listener.hears(0);
    },

  'P14: a waiter leaves nothing that can be seen, however often it is denied, and prolongs nothing': async ({
    ask,
    pass,
  }) => {
    await ask(acquire('t', ['k', 300]));
    const u = waiting(acquire('u', ['k', 5000]));
    const seen = [
      await ask(u),
      await ask(u),
      await ask(make('inspect', '-', [['k', 0]])),
      await ask(acquire('t', ['k', 300])),
    ];
    for (const [reply] of seen.slice(0, 3)) {
      expectMatch(reply, { holder: { token: 't', owner: 'owner of t', fence: 0 } });
    }
    expectMatch(seen[3], [{ outcome: 'granted', fence: 0 }]);
    await ask(u);
    await pass(350);
    expectMatch(await ask(acquire('v', ['k', 100])), [{ outcome: 'granted' }]);
  },

  'P14: tells of the one of several keys for which a waiter was denied': async ({ ask, listen }) => {
    const [a, b] = [await listen('a'), await listen('b')];
    await ask(acquire('t', ['a', 5000], ['b', 5000]), waiting(acquire('u', ['x', 5000], ['b', 5000])));
    const claims = ['a', 'b'].map((key) => ({ key, ttlMs: 0, channel: key }));
    expectMatch(await ask({ ...release('t'), claims }), [{ outcome: 'released', gone: false }]);
    await b.hears(1);
    await a.hears(0);
    // What was denied has taken nothing.
    expectMatch(await ask(acquire('v', ['x', 5000])), [{ outcome: 'granted' }]);
  },

  'P14: still tells where the lock was granted again to its token meanwhile, alone or with another key': async ({
    ask,
    listen,
  }) => {
    const listener = await listen('c');
    for (const again of [acquire('t', ['k', 5000]), acquire('t', ['k', 5000], ['l', 5000])]) {
      await ask(acquire('t', ['k', 5000]), waiting(acquire('u', ['k', 5000])), again);
      await ask(telling(release('t', ['k', 0]), 'c'), release('t', ['l', 0]));
    }
    await listener.hears(2);
  },

  'P14: tells of a lock that has waited, and of one that was put back: its listeners may have been denied before':
    async ({ ask, listen }) => {
      const listener = await listen('c');
      await ask({ ...acquire('t', ['k', 5000]), waited: true }, telling(release('t', ['k', 0]), 'c'));
      await listener.hears(1);
      await ask({ ...acquire('t', ['k', 5000], ['l', 5000]), waited: true });
      await ask(telling(release('t', ['k', 0]), 'c'), release('t', ['l', 0]));
      await listener.hears(2);
      await ask(heal('t', ['k', 5000]), telling(release('t', ['k', 0]), 'c'));
      await listener.hears(3);
    },
};
