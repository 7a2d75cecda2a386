import { describe, expect, it } from '@jest/globals';
import { LockHandle } from '../../../lib/core/lock.js';
import { acquire, keepFor, modelNodes, planFor, quorumOver } from '../../support/model-quorum.js';
import type { ModelNode } from '../../support/model-node.js';
import { VirtualClock } from '../../support/virtual-clock.js';

const DAY_MS = 24 * 3600 * 1000;
const HOUR_MS = 3600 * 1000;
const SOME_DAY_MS = Date.UTC(2030, 0, 1);
const TTL_MS = 1000;

const RETENTION = { retentionMs: 7 * DAY_MS };
const plan = planFor({ claims: [{ key: 'job', ttlMs: TTL_MS, counter: 'count', ...RETENTION }], ttlMs: TTL_MS });

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
    await clock.settle(new LockHandle(quorum, plan, value, keepFor()).release());
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

  it('begins above what it had reached when all counts have expired, with clocks that were set back by less than the retention', async () => {
    const last = await servers();
    await clock.advance(HOUR_MS);
    for (const node of nodes) {
      setClock(node, -0.9 * HOUR_MS);
      node.flush();
    }
    expect(await grant()).toBeGreaterThan(last);
  });

  it('is forgotten after the retention, and not while its lock is extended', async () => {
    const [node] = (nodes = modelNodes(3, clock) as typeof nodes);
    const quorum = quorumOver(nodes, clock);
    const kept = planFor({
      claims: [{ key: 'job', ttlMs: TTL_MS, counter: 'count', retentionMs: 10_000 }],
      ttlMs: TTL_MS,
    });
    const { value } = await clock.settle(acquire(quorum, kept));
    const lock = new LockHandle(quorum, kept, value!, keepFor({ autoExtend: true }));
    await clock.advance(15_000);
    expect([lock.isHeld(), node.counterOf('count')]).toEqual([true, 1]);
    await clock.settle(lock.release());
    await clock.advance(9000);
    expect(node.counterOf('count')).toBe(1);
    await clock.advance(1001);
    expect(node.counterOf('count')).toBeUndefined();
  });
});
