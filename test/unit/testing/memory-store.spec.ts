import { describe, expect, it } from '@jest/globals';
import type { NodeRequest } from '../../../lib/core/ports/lock-node.js';
import { MemoryStore } from '../../../lib/testing/memory-store.js';
import { VirtualClock } from '../../support/virtual-clock.js';

// What all lock nodes have in common is in test/contract.
describe('MemoryStore', () => {
  const acquire = (token: string, ttlMs = 1000): NodeRequest => ({
    kind: 'acquire',
    token,
    owner: `owner of ${token}`,
    claims: [{ key: 'k', counter: 'n', ttlMs, retentionMs: 60_000 }],
  });

  function setUp(): { clock: VirtualClock; store: MemoryStore } {
    const clock = new VirtualClock();
    return { clock, store: new MemoryStore({ clock, tell: () => 0, startOfCount: () => 100 }) };
  }

  it('P3: has a key until its time is over, and not in that instant', async () => {
    const { clock, store } = setUp();
    store.carryOut(acquire('t'));
    await clock.advance(999);
    expect(store.holderOf('k')).toEqual({ key: 'k', token: 't', owner: 'owner of t', fence: 101, remainingMs: 1 });
    expect(store.carryOut(acquire('u'))).toMatchObject({ outcome: 'denied', holder: { token: 't' } });
    await clock.advance(1);
    expect([store.holderOf('k'), store.keys]).toEqual([undefined, []]);
    expect(store.carryOut(acquire('u'))).toEqual({ outcome: 'granted', fence: 102 });
  });

  it('P2: keeps its counters when it is cleared, and loses them when it is flushed', () => {
    const { store } = setUp();
    store.carryOut(acquire('t'));
    store.clear();
    expect([store.keys, store.counterOf('n')]).toEqual([[], 101]);
    expect(store.carryOut(acquire('u'))).toEqual({ outcome: 'granted', fence: 102 });
    store.flush();
    expect([store.keys, store.counterOf('n')]).toEqual([[], undefined]);
    expect(store.carryOut(acquire('v'))).toEqual({ outcome: 'granted', fence: 101 });
  });
});
