import { describe, expect, it } from '@jest/globals';
import { acquire } from '../../../lib/core/acquire.js';
import { HeldLock } from '../../../lib/core/lock.js';
import { keepFor, modelNodes, planFor, quorumOver } from '../../support/model-quorum.js';
import type { ModelNode } from '../../support/model-node.js';
import { VirtualClock } from '../../support/virtual-clock.js';

const DAY_MS = 24 * 3600 * 1000;
const SOME_DAY_MS = Date.UTC(2030, 0, 1);
const TTL_MS = 1000;

const plan = planFor({ claims: [{ key: 'job', ttlMs: TTL_MS, counter: 'count' }], ttlMs: TTL_MS });

describe('P2: a server that has lost its count', () => {
  const clock = new VirtualClock();
  let nodes: [ModelNode, ModelNode, ModelNode];

  /** Three servers whose clocks are right, and that have made a hundred grants. Returns the token of the last. */
  async function servers(): Promise<number> {
    nodes = modelNodes(3, clock) as typeof nodes;
    for (const node of nodes) setClock(node, 0);
    for (let index = 1; index < 100; index++) await grant();
    return await grant();
  }

  /** As a real server, it counts from its own time of day, in microseconds. */
  function setClock(node: ModelNode, offsetMs: number): void {
    node.startOfCount = () => (SOME_DAY_MS + clock.nowMs() + offsetMs) * 1000;
  }

  async function grant(): Promise<number> {
    const quorum = quorumOver(nodes, clock);
    const { value, error } = await clock.settle(acquire(quorum, plan));
    if (value === undefined) throw error;
    await clock.settle(new HeldLock(quorum, plan, value, keepFor()).release());
    return value.fence;
  }

  it('counts on from what the others have counted, however far its clock is behind', async () => {
    const last = await servers();
    setClock(nodes[0], -1000 * DAY_MS);
    nodes[0].flush();
    expect(await grant()).toBe(last + 1);
    expect(nodes[0].counterOf('count')).toBe(last + 1);
  });

  /*
   * The limit of the promise: nobody who votes knows the last token. One has forgotten it, the other was away, and the
   * only one who remembers is away now. Then the time of day is all there is to go by.
   */
  it.each([
    ['right', 0, 0, 'larger'],
    ['a day behind, with a key in use for two days', -DAY_MS, 2 * DAY_MS, 'larger'],
    ['a day behind, with a key in use since today', -DAY_MS, 0, 'smaller'],
  ])(
    'decides by its clock only where the others have missed the last grant: %s',
    async (_, offsetMs, ageMs, result) => {
      await servers();
      await clock.advance(ageMs);
      nodes[2].disconnect();
      const last = await grant();
      setClock(nodes[0], offsetMs);
      nodes[0].flush();
      nodes[1].disconnect();
      nodes[2].connect();
      await clock.advance(TTL_MS); // For so long the restart guard keeps it from voting.
      expect((await grant()) > last ? 'larger' : 'smaller').toBe(result);
    },
  );

  it('begins above what it had reached when all counts have expired, with clocks that are up to 30 days behind', async () => {
    const last = await servers();
    await clock.advance(30 * DAY_MS);
    for (const node of nodes) {
      setClock(node, -29 * DAY_MS);
      node.flush();
    }
    expect(await grant()).toBeGreaterThan(last);
  });
});
