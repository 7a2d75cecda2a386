import { describe, expect, it } from '@jest/globals';
import { LockContendedError, QuorumUnreachableError } from '../../../lib/core/errors/index.js';
import type { ModelNode } from '../../support/model-node.js';
import { acquire, modelNodes, planFor, quorumOver } from '../../support/model-quorum.js';
import { VirtualClock } from '../../support/virtual-clock.js';

const PLAN = planFor({ waitMs: 1000, unreachableWaitMs: 30_000, ttlMs: 10_000 });

function setUp(): { clock: VirtualClock; nodes: ModelNode[] } {
  const clock = new VirtualClock();
  return { clock, nodes: modelNodes(3, clock) };
}

function connectAll(nodes: readonly ModelNode[]): void {
  for (const node of nodes) node.connect();
}

describe('acquire while no majority of the servers can be reached', () => {
  it('P8: goes on for the time that is given for this, and takes the lock when a majority is back', async () => {
    for (const fault of ['down', 'stalled'] as const) {
      const { clock, nodes } = setUp();
      for (const node of nodes)
        if (fault === 'down') node.disconnect();
        else node.stall();
      clock.after(20_000, () => {
        for (const node of nodes)
          if (fault === 'down') node.connect();
          else node.resume();
      });
      const { value, tookMs } = await clock.settle(acquire(quorumOver(nodes, clock), PLAN));
      expect(value).toBeDefined();
      expect(tookMs).toBeLessThan(22_000);
    }
  });

  it('P5, P8: ends with that time, and does not keep the servers busy meanwhile', async () => {
    const { clock, nodes } = setUp();
    for (const node of nodes) node.refusal = new Error('LOADING Redis is loading the dataset in memory');
    const { error, tookMs } = await clock.settle(acquire(quorumOver(nodes, clock), PLAN));
    expect(error).toBeInstanceOf(QuorumUnreachableError);
    expect(tookMs).toBeGreaterThanOrEqual(30_000);
    expect(tookMs).toBeLessThanOrEqual(30_000 + 200);
    expect(nodes[0]!.arrived.filter(({ kind }) => kind === 'acquire').length).toBeLessThan(150);
  });

  it('P5: waits for a lock that is held no longer than without it', async () => {
    const { clock, nodes } = setUp();
    for (const node of nodes) node.plant('job', 'other', 100_000);
    const { error, tookMs } = await clock.settle(acquire(quorumOver(nodes, clock), PLAN));
    expect(error).toBeInstanceOf(LockContendedError);
    expect(tookMs).toBeLessThanOrEqual(1200);
  });

  it('P8: waits anew for a lock that is held when a majority is back: it may be the one of the run before', async () => {
    const { clock, nodes } = setUp();
    for (const node of nodes) node.disconnect();
    clock.after(20_000, () => {
      for (const node of nodes) node.plant('job', 'other', 700);
      connectAll(nodes);
    });
    const { value } = await clock.settle(acquire(quorumOver(nodes, clock), PLAN));
    expect(value).toBeDefined();
  });

  it('P5: waits for that lock as long as for any other, and not longer', async () => {
    const { clock, nodes } = setUp();
    for (const node of nodes) node.disconnect();
    clock.after(10_000, () => {
      for (const node of nodes) node.plant('job', 'other', 100_000);
      connectAll(nodes);
    });
    const { error, tookMs } = await clock.settle(acquire(quorumOver(nodes, clock), PLAN));
    expect(error).toBeInstanceOf(LockContendedError);
    expect(tookMs).toBeGreaterThan(10_000);
    expect(tookMs).toBeLessThanOrEqual(10_000 + 1000 + 1000 + 200); // the longest pause, the wait, two node timeouts
  });

  it('P7: with a wait of 0 it is refused at once by a holder, and goes on without a majority', async () => {
    const { clock, nodes } = setUp();
    const plan = { ...PLAN, waitMs: 0 };
    for (const node of nodes) node.disconnect();
    clock.after(5000, () => {
      connectAll(nodes);
    });
    expect((await clock.settle(acquire(quorumOver(nodes, clock), plan))).value).toBeDefined();
    const { error, tookMs } = await clock.settle(acquire(quorumOver(nodes, clock), plan));
    expect(error).toBeInstanceOf(LockContendedError);
    expect(tookMs).toBe(0);
  });
});
