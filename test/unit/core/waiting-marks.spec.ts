import { describe, expect, it } from '@jest/globals';
import type { AcquirePlan } from '../../../lib/core/acquire.js';
import { LockHandle } from '../../../lib/core/lock.js';
import type { Quorum } from '../../../lib/core/quorum.js';
import type { ModelNode } from '../../support/model-node.js';
import { acquire, keepFor, modelNodes, planFor, quorumOver } from '../../support/model-quorum.js';
import { VirtualClock } from '../../support/virtual-clock.js';

const TRIP_MS = 10;
const TTL_MS = 10_000;

/** Two processes over the same three servers. */
function world(): { clock: VirtualClock; nodes: ModelNode[]; here: Quorum; there: Quorum } {
  const clock = new VirtualClock();
  const nodes = modelNodes(3, clock);
  for (const node of nodes) node.delayMs = TRIP_MS;
  const quorum = (seed: number): Quorum => quorumOver(nodes, clock, { seed, owner: `process-${seed}` });
  return { clock, nodes, here: quorum(1), there: quorum(2) };
}

async function take(quorum: Quorum, plan: Partial<AcquirePlan> = {}): Promise<LockHandle> {
  const full = planFor({ ttlMs: TTL_MS, waitMs: 60_000, ...plan });
  return new LockHandle(quorum, full, await acquire(quorum, full), keepFor());
}

describe('P14: a release is told where somebody waits, and nowhere else', () => {
  it('nobody is told of a lock that no waiter was denied, also where they listen', async () => {
    const { clock, nodes, here, there } = world();
    let told = 0;
    for (const node of nodes) node.listen('job', { onHearing: () => undefined, onReleased: () => told++ });
    await clock.advance(2 * TRIP_MS);
    for (let round = 0; round < 3; round++) {
      const { value: lock } = await clock.settle(take(here));
      const asked = await clock.settle(take(there, { waitMs: 0 }));
      expect(asked.error).toMatchObject({ code: 'LOCK_CONTENDED' });
      await clock.settle(lock!.release());
      await clock.advance(2 * TRIP_MS);
    }
    expect(told).toBe(0);
    const { value: lock } = await clock.settle(take(here));
    const waiting = take(there);
    await clock.advance(10 * TRIP_MS);
    await clock.settle(lock!.release());
    await clock.settle(waiting);
    expect(told).toBe(nodes.length);
  });

  it('a waiter is told after the lock was handed on in silence, by the one who gives it back', async () => {
    const { clock, here, there } = world();
    const { value: first } = await clock.settle(take(here));
    const second = take(here);
    const other = take(there);
    await clock.advance(100);
    void first!.release();
    const { value: heir } = await clock.settle(second);
    await clock.advance(1000);
    void heir!.release();
    const { value, tookMs } = await clock.settle(other);
    expect(value?.isHeld()).toBe(true);
    // What is left of the ttl of the first holder is the backstop, and far longer.
    expect(tookMs).toBeLessThanOrEqual(3 * TRIP_MS);
  });

  it('one who has let others go first is told when they have had it, and not when its courtesy is over', async () => {
    const { clock, here, there } = world();
    const { value: lock } = await clock.settle(take(here));
    const other = take(there);
    await clock.advance(100);
    await clock.settle(lock!.release());
    // It has been told of the release, and this process leaves it the first go, for ten trips.
    const back = take(here);
    const { value: theirs } = await clock.settle(other);
    void theirs!.release();
    const { value, tookMs } = await clock.settle(back);
    expect(value?.isHeld()).toBe(true);
    expect(tookMs).toBeLessThanOrEqual(4 * TRIP_MS);
  });

  it('a waiter is told although every server has been restarted without its data, one after the other', async () => {
    const { clock, nodes, here, there } = world();
    const { value: lock } = await clock.settle(take(here));
    const other = take(there);
    await clock.advance(100);
    for (const node of nodes) {
      node.flush();
      await clock.settle(lock!.extend());
      await clock.advance(2 * TRIP_MS);
      expect(node.tokenAt('job')).toBe(lock!.token);
    }
    void lock!.release();
    const { value, tookMs } = await clock.settle(other);
    expect(value?.isHeld()).toBe(true);
    expect(tookMs).toBeLessThanOrEqual(4 * TRIP_MS);
  });
});
