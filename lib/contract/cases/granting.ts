import assert from 'node:assert/strict';
import { expectMatch } from '../expect-match.js';
import type { Cases } from '../probe.js';
import { acquire, extend, release } from '../requests.js';

/** What a lock node grants and denies, and how it carries out calls. */
export const granting: Cases = {
  'grants what is free, and grants it to the same token again for the full ttl': async ({ ask, pass }) => {
    expectMatch(await ask(acquire('t', ['k', 300]), acquire('t', ['k', 5000])), [
      { outcome: 'granted' },
      { outcome: 'granted' },
    ]);
    await pass(400);
    expectMatch(await ask(acquire('u', ['k', 300])), [{ outcome: 'denied' }]);
  },

  'denies what another token has, and names the holder and how much of its ttl is left': async ({ ask }) => {
    await ask(acquire('t', ['k', 5000]));
    const [reply] = await ask(acquire('u', ['k', 5000]));
    expectMatch(reply, { outcome: 'denied', holder: { key: 'k', token: 't', owner: 'owner of t' } });
    const { remainingMs } = (reply as { holder: { remainingMs: number } }).holder;
    assert.ok(remainingMs > 4000);
    assert.ok(remainingMs <= 5000);
  },

  'frees a key when its ttl is over': async ({ ask, pass }) => {
    await ask(acquire('t', ['k', 100]));
    await pass(150);
    expectMatch(await ask(acquire('u', ['k', 100])), [{ outcome: 'granted' }]);
  },

  'takes several keys or none, each for its own ttl, and names the first that is taken': async ({ ask, pass }) => {
    await ask(acquire('t', ['b', 5000]));
    expectMatch(await ask(acquire('u', ['a', 5000], ['b', 5000], ['c', 5000])), [
      { outcome: 'denied', holder: { key: 'b', token: 't' } },
    ]);
    expectMatch(await ask(acquire('v', ['a', 5000], ['c', 100])), [{ outcome: 'granted' }]);
    await pass(150);
    expectMatch(await ask(acquire('w', ['c', 5000])), [{ outcome: 'granted' }]);
    expectMatch(await ask(acquire('w', ['a', 5000])), [{ outcome: 'denied' }]);
  },

  'carries out many requests in one trip, in order, one reply for each': async ({ ask }) => {
    const replies = await ask(
      acquire('t', ['k', 5000]),
      acquire('u', ['k', 5000]),
      release('t', ['k', 0]),
      acquire('u', ['k', 5000]),
      extend('u', ['k', 5000]),
      extend('u', ['new', 5000]),
    );
    expectMatch(
      replies.map(({ outcome }) => outcome),
      ['granted', 'denied', 'released', 'granted', 'renewed', 'absent'],
    );
  },

  'carries out calls in the order in which they were made': async ({ ask }) => {
    const replies = await Promise.all([
      ask(acquire('t', ['k', 5000])),
      ask(release('t', ['k', 0])),
      ask(acquire('u', ['k', 5000])),
    ]);
    expectMatch(
      replies.map(([reply]) => reply?.outcome),
      ['granted', 'released', 'granted'],
    );
  },

  'copes with keys and owners of any characters': async ({ ask }) => {
    const key = 'späte Rechnung {42} \u0000 "x" \n';
    await ask({ kind: 'acquire', token: 't', owner: 'host name: 1 % Ω', claims: [{ key, ttlMs: 5000 }] });
    expectMatch(await ask(acquire('u', [key, 100])), [{ holder: { key, token: 't', owner: 'host name: 1 % Ω' } }]);
  },

  'P12: knows nothing any more after it was flushed': async ({ ask, flush }) => {
    await ask(acquire('t', ['k', 5000]));
    await flush();
    expectMatch(await ask(acquire('u', ['k', 5000])), [{ outcome: 'granted' }]);
  },
};
