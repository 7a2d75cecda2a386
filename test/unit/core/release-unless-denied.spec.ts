import { describe, expect, it } from '@jest/globals';
import { NodeQueue } from '../../../lib/core/node-queue.js';
import type { NodeRequest } from '../../../lib/core/ports/lock-node.js';
import { ModelNode } from '../../support/model-node.js';
import { acquire, modelNodes, planFor, quorumOver } from '../../support/model-quorum.js';
import { VirtualClock } from '../../support/virtual-clock.js';

const TRIP_MS = 10;

interface Setup {
  readonly clock: VirtualClock;
  readonly node: ModelNode;
  readonly queue: NodeQueue;
}

/** An attempt with the token "a" on the key "k" is under way, and its release waits for the answer. */
async function setUp({ isHeld, maxConcurrency = 10 }: { isHeld: boolean; maxConcurrency?: number }): Promise<Setup> {
  const clock = new VirtualClock();
  const node = new ModelNode('node', clock);
  node.delayMs = TRIP_MS;
  if (isHeld) node.plant('k', 'other', 1000);
  const queue = new NodeQueue(node, clock, maxConcurrency);
  queue.send(request('acquire', 'a'));
  await clock.advance(1);
  queue.releaseUnlessDenied(request('release', 'a'));
  await clock.advance(1);
  return { clock, node, queue };
}

function request(kind: NodeRequest['kind'], token: string): NodeRequest {
  return { kind, token, owner: 'me', claims: [{ key: 'k', ttlMs: kind === 'release' ? 0 : 5000 }] };
}

function arrived({ node }: Setup): string[] {
  return node.arrived.map(({ kind, token }) => `${kind} ${token}`);
}

describe('the release of an attempt that a node has not answered yet', () => {
  it('is not sent when the node denies, and the queue is idle then', async () => {
    const setup = await setUp({ isHeld: true });
    await setup.clock.advance(2 * TRIP_MS);
    expect(setup.node.trips).toBe(1);
    await setup.queue.idle();
  });

  it('P11: leaves as soon as the node has granted', async () => {
    const setup = await setUp({ isHeld: false });
    await setup.clock.advance(TRIP_MS - 2);
    expect(setup.node.trips).toBe(2);
    await setup.clock.advance(TRIP_MS);
    expect(setup.node.keys).toEqual([]);
    await setup.queue.idle();
  });

  it('P11: leaves when the answer does not tell', async () => {
    const setup = await setUp({ isHeld: false });
    setup.node.refusal = new Error('BUSY Redis is busy running a script.');
    await setup.clock.advance(TRIP_MS / 2);
    setup.node.refusal = undefined;
    setup.node.plant('k', 'a', 5000);
    await setup.clock.advance(2 * TRIP_MS);
    expect(setup.node.keys).toEqual([]);
  });

  it('P11: leaves when the node is back, if the connection broke before the answer', async () => {
    const setup = await setUp({ isHeld: false });
    await setup.clock.advance(TRIP_MS / 2);
    setup.node.disconnect();
    await setup.clock.advance(60_000);
    setup.node.plant('k', 'a', 5000);
    setup.node.connect();
    await setup.clock.advance(TRIP_MS);
    expect(setup.node.keys).toEqual([]);
    await setup.queue.idle();
  });

  it('P11: leaves when a server goes on that was stalled, and has granted', async () => {
    const setup = await setUp({ isHeld: false });
    setup.node.stall();
    await setup.clock.advance(60_000);
    setup.node.resume();
    await setup.clock.advance(2 * TRIP_MS);
    expect(arrived(setup)).toEqual(['acquire a', 'release a']);
    expect(setup.node.keys).toEqual([]);
  });

  it('P14: leaves ahead of the next attempt, so that this is not denied by what the first has left', async () => {
    const setup = await setUp({ isHeld: false });
    const outcomes: string[] = [];
    setup.queue.send(request('acquire', 'b'), ({ outcome }) => outcomes.push(outcome));
    await setup.clock.advance(2 * TRIP_MS);
    expect(setup.node.trips).toBe(2);
    expect(arrived(setup)).toEqual(['acquire a', 'release a', 'acquire b']);
    expect(outcomes).toEqual(['granted']);
  });

  it('P14: leaves ahead of the next attempt also where both wait for the answer to the first', async () => {
    const setup = await setUp({ isHeld: false, maxConcurrency: 1 });
    setup.queue.send(request('acquire', 'b'));
    await setup.clock.advance(3 * TRIP_MS);
    expect(setup.node.trips).toBe(2);
    expect(arrived(setup)).toEqual(['acquire a', 'release a', 'acquire b']);
  });

  it('is not sent with the next attempt, if the node has denied before that leaves', async () => {
    const setup = await setUp({ isHeld: true, maxConcurrency: 1 });
    setup.queue.send(request('acquire', 'b'));
    await setup.clock.advance(3 * TRIP_MS);
    expect(arrived(setup)).toEqual(['acquire a', 'acquire b']);
  });

  it('leaves at once where the node has granted an earlier question of the same attempt', async () => {
    const clock = new VirtualClock();
    const node = new ModelNode('node', clock);
    const queue = new NodeQueue(node, clock, 10);
    queue.send(request('acquire', 'a'));
    await clock.advance(1);
    node.delayMs = TRIP_MS;
    queue.send(request('acquire', 'a'));
    await clock.advance(1);
    queue.releaseUnlessDenied(request('release', 'a'));
    await clock.advance(1);
    expect(node.trips).toBe(3);
    await clock.advance(2 * TRIP_MS);
    expect(node.keys).toEqual([]);
  });
});

describe('a try on a lock that another process holds', () => {
  const DELAYS_MS = [1, 2, 3, 20, 30];

  it('costs one round trip for each server, although it is decided before the last have answered', async () => {
    const clock = new VirtualClock();
    const nodes = modelNodes(5, clock);
    nodes.forEach((node, index) => (node.delayMs = DELAYS_MS[index] ?? 0));
    for (const node of nodes) node.plant('job', 'other', 60_000);
    const quorum = quorumOver(nodes, clock);
    for (let tries = 1; tries <= 3; tries++) {
      const { error, tookMs } = await clock.settle(acquire(quorum, planFor()));
      expect(error).toMatchObject({ reason: 'locked' });
      expect(tookMs).toBe(3);
      await clock.advance(100);
      expect(nodes.map(({ trips }) => trips)).toEqual(Array(5).fill(tries));
    }
  });

  it('P11: leaves nothing on a server that grants after the decision', async () => {
    const clock = new VirtualClock();
    const nodes = modelNodes(5, clock);
    nodes.forEach((node, index) => (node.delayMs = DELAYS_MS[index] ?? 0));
    for (const node of nodes.slice(0, 3)) node.plant('job', 'other', 60_000);
    await clock.settle(acquire(quorumOver(nodes, clock), planFor()));
    await clock.advance(100);
    expect(nodes.map((node) => node.tokenAt('job'))).toEqual(['other', 'other', 'other', undefined, undefined]);
    expect(nodes.map(({ trips }) => trips)).toEqual([1, 1, 1, 2, 2]);
  });
});
