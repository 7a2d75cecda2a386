import assert from 'node:assert/strict';
import type { NodeRequest } from '../../core/ports/lock-node.js';
import { expectMatch } from '../expect-match.js';
import type { Cases } from '../probe.js';
import { acquire, release, counted } from '../requests.js';

/** How grants are counted (P2), and for how long a counter is remembered (P18). */
export const fencing: Cases = {
  'P2: counts the grants of a key, and grants again under the number that was granted': async ({ ask, grant }) => {
    const [first, second, third] = [
      await grant('t', 'k'),
      await ask(release('t', ['k', 0])).then(() => grant('u', 'k')),
      await grant('u', 'k'),
    ];
    assert.equal(second, first + 1);
    assert.equal(third, second);
    expectMatch(await ask(acquire('t', ['no counter', 5000])), [{ outcome: 'granted', fence: 0 }]);
  },

  'P2: gives several keys one number, above the counters of all of them': async ({ ask, grant }) => {
    for (const token of ['1', '2', '3']) await grant(token, 'a').then(() => ask(release(token, ['a', 0])));
    const [a, b] = [await grant('t', 'a'), await grant('t', 'b')];
    await ask(release('t', ['a', 0], ['b', 0]));
    const both = await grant('u', 'a', 'b');
    assert.equal(both, Math.max(a, b) + 1);
    await ask(release('u', ['a', 0], ['b', 0]));
    expectMatch([await grant('v', 'a'), await grant('v', 'b')], [both + 1, both + 1]);
  },

  'P2: confirms a fencing token where the grant is still there, and nowhere else': async ({ ask, grant }) => {
    const number = await grant('t', 'k');
    const confirm = (token: string, grantedFence: number): NodeRequest => ({
      ...counted('confirm', token, 'k'),
      fence: number + 100,
      grantedFence,
    });
    expectMatch(await ask(confirm('u', number)), [{ outcome: 'absent' }]);
    expectMatch(await ask(confirm('t', number - 1)), [{ outcome: 'absent' }]);
    expectMatch(await ask(confirm('t', number)), [{ outcome: 'confirmed' }]);
    await ask(release('t', ['k', 0]));
    assert.equal(await grant('u', 'k'), number + 101);
    expectMatch(await ask({ ...counted('confirm', 'u', 'k'), fence: 1, grantedFence: number + 101 }), [
      { outcome: 'confirmed' },
    ]);
    await ask(release('u', ['k', 0]));
    assert.equal(await grant('v', 'k'), number + 102);
  },

  'P2: what is put back counts on from the fencing token of its lock': async ({ ask, flush, grant }) => {
    const number = await grant('t', 'k');
    await flush();
    expectMatch(await ask({ ...counted('heal', 't', 'k'), fence: number + 50 }), [{ outcome: 'absent' }]);
    assert.equal(await grant('t', 'k'), number + 50);
    await ask(release('t', ['k', 0]));
    assert.equal(await grant('u', 'k'), number + 51);
  },

  'P2: a counter that was lost does not begin below what it had reached, nor below what the request says': async ({
    ask,
    flush,
    grant,
  }) => {
    const number = await grant('t', 'k');
    await flush();
    // A process begins no counter below the highest token that it has had.
    const [again] = await ask({ ...counted('acquire', 'u', 'k'), fenceStart: number });
    expectMatch(again, { outcome: 'granted' });
    assert.ok((again as { fence: number }).fence > number);
    const start = 8_000_000_000_000_000;
    expectMatch(await ask({ ...counted('acquire', 'v', 'l'), fenceStart: start }), [
      { outcome: 'granted', fence: start + 1 },
    ]);
  },

  'P2: a counter that is there counts on, wherever the request would begin': async ({ ask, grant }) => {
    const number = await grant('t', 'k');
    await ask(release('t', ['k', 0]));
    const asked = { ...counted('acquire', 'u', 'k'), fenceStart: number + 1000 };
    expectMatch(await ask(asked), [{ outcome: 'granted', fence: number + 1 }]);
  },

  'P18: a counter is gone after its retention, never before its lock, and lives on with an extension': async ({
    ask,
    pass,
  }) => {
    const start = 8_000_000_000_000_000;
    const kept = (kind: NodeRequest['kind'], token: string, ttlMs: number, retentionMs: number): NodeRequest => ({
      ...counted(kind, token, 'k'),
      fenceStart: start,
      claims: [{ key: 'k', ttlMs, counter: '{k}:fence', retentionMs }],
    });
    expectMatch(await ask(kept('acquire', 't', 50, 1500)), [{ outcome: 'granted', fence: start + 1 }]);
    await ask(release('t', ['k', 0]));
    await pass(150);
    expectMatch(await ask(kept('acquire', 'u', 50, 1500)), [{ outcome: 'granted', fence: start + 2 }]);
    await pass(1600);
    expectMatch(await ask(kept('acquire', 'v', 400, 1), kept('extend', 'v', 600, 1)), [
      { outcome: 'granted', fence: start + 1 },
      { outcome: 'renewed' },
    ]);
    await pass(800);
    expectMatch(await ask(kept('acquire', 'w', 200, 1)), [{ outcome: 'granted', fence: start + 2 }]);
  },
};
