import { expectMatch } from '../expect-match.js';
import type { Cases } from '../probe.js';
import { acquire, release, remove } from '../requests.js';

/** How claims are released and removed. */
export const releasing: Cases = {
  'removes the lock that is named, and no other': async ({ ask }) => {
    await ask(acquire('t', ['k', 5000]));
    expectMatch(await ask(remove('u', 'k'), remove('', 'k')), [{ outcome: 'absent' }, { outcome: 'absent' }]);
    expectMatch(await ask(acquire('u', ['k', 5000])), [{ outcome: 'denied', holder: { token: 't' } }]);
    expectMatch(await ask(remove('t', 'k')), [{ outcome: 'released' }]);
    expectMatch(await ask(remove('t', 'k'), acquire('u', ['k', 5000])), [
      { outcome: 'absent' },
      { outcome: 'granted' },
    ]);
  },

  'releases what the token has, and leaves what other tokens have': async ({ ask }) => {
    await ask(acquire('t', ['a', 5000], ['b', 5000]), acquire('u', ['c', 5000]));
    expectMatch(await ask(release('t', ['a', 0], ['b', 0], ['c', 0])), [{ outcome: 'released', heard: 0 }]);
    expectMatch(await ask(acquire('v', ['a', 100], ['b', 100])), [{ outcome: 'granted' }]);
    expectMatch(await ask(acquire('v', ['c', 100])), [{ outcome: 'denied', holder: { token: 'u' } }]);
  },

  'P10: says with a release whether a key was gone, or another token had it': async ({ ask }) => {
    await ask(acquire('t', ['a', 5000], ['b', 5000]), acquire('u', ['c', 5000]));
    const replies = await ask(release('t', ['a', 0], ['b', 0]), release('t', ['a', 0]), release('t', ['c', 0]));
    expectMatch(replies, [
      { outcome: 'released', heard: 0, gone: false },
      { outcome: 'released', heard: 0, gone: true },
      { outcome: 'released', heard: 0, gone: true },
    ]);
    await ask(acquire('t', ['a', 5000]));
    expectMatch(await ask(release('t', ['a', 0], ['c', 0])), [{ outcome: 'released', heard: 0, gone: true }]);
  },

  'minHold: leaves a released key for as long as it is told': async ({ ask, pass }) => {
    await ask(acquire('t', ['k', 5000]));
    expectMatch(await ask(release('t', ['k', 200]), acquire('u', ['k', 100])), [
      { outcome: 'released', heard: 0, gone: false },
      { outcome: 'denied' },
    ]);
    await pass(250);
    expectMatch(await ask(acquire('u', ['k', 100])), [{ outcome: 'granted' }]);
  },
};
