import { describe, expect, it } from '@jest/globals';
import { LockHandle } from '../../../lib/core/lock.js';
import { acquire, keepFor, modelNodes, planFor, quorumOver } from '../../support/model-quorum.js';
import { VirtualClock } from '../../support/virtual-clock.js';

describe('P19: a step of the wall clock alone', () => {
  it('loses no lock that is extended, where it is set right again while the servers could not be asked', async () => {
    const clock = new VirtualClock();
    const nodes = modelNodes(3, clock);
    const quorum = quorumOver(nodes, clock);
    const plan = planFor({ ttlMs: 10_000 });
    const { value } = await clock.settle(acquire(quorum, plan));
    const lock = new LockHandle(quorum, plan, value!, keepFor({ autoExtend: true }));
    const ticker = (): void => {
      lock.look(); // as LockClient does it once a second
      clock.after(1000, ticker);
    };
    clock.after(1000, ticker);

    await clock.advance(500);
    clock.suspend(3_600_000); // set forward by an hour
    for (const node of nodes) node.disconnect(); // for a moment
    await clock.advance(600); // the look: the servers cannot say anything
    clock.suspend(-3_600_000); // set right
    for (const node of nodes) node.connect();
    expect(lock.isHeld()).toBe(true);
    await clock.advance(30_000);
    expect([lock.isHeld(), lock.signal.reason]).toEqual([true, undefined]);
  });
});
