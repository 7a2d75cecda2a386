import { expect, it } from '@jest/globals';
import { remove } from '../../../lib/core/inspect.js';
import { LockHandle } from '../../../lib/core/lock.js';
import type { LockNode } from '../../../lib/core/ports/lock-node.js';
import { DistantNode } from '../../support/distant-node.js';
import { acquire, keepFor, modelNodes, planFor, quorumOver } from '../../support/model-quorum.js';
import { VirtualClock } from '../../support/virtual-clock.js';

async function held(ttlMs: number, delayMs = 0) {
  const clock = new VirtualClock();
  const nodes = modelNodes(3, clock);
  for (const node of nodes) node.delayMs = delayMs;
  const holder = quorumOver(nodes, clock, { owner: 'holder', nodeTimeoutMs: 500 });
  const plan = planFor({ ttlMs });
  const { value: grant } = await clock.settle(acquire(holder, plan));
  const lock = new LockHandle(holder, plan, grant!, keepFor({ autoExtend: true }));
  const operatorOver = (seen: readonly LockNode[]) =>
    quorumOver(seen, clock, { seed: 2, owner: 'operator', nodeTimeoutMs: 500 });
  return { clock, nodes, lock, operatorOver };
}

it.each([
  ['a short ttl that extends itself', 600, 170, undefined],
  ['a long ttl that the work extends with each step', 30_000, 1000, 100],
])(
  'P12: what is removed by force does not come back by extension, with servers at different distances and %s',
  async (_, ttlMs, at, everyMs) => {
    const { clock, nodes, lock, operatorOver } = await held(ttlMs);
    const step = async (): Promise<void> => {
      await lock.extend().catch(() => undefined);
      if (lock.isHeld()) clock.after(everyMs!, () => void step());
    };
    if (everyMs !== undefined) void step();
    // Far below the node timeout of 500 ms: a round trip from the operator takes 10, 120 and 240 ms.
    const operator = operatorOver(nodes.map((node, i) => new DistantNode(node, clock, [10, 120, 240][i]!)));
    await clock.advance(at);
    const { value: removal } = await clock.settle(remove(operator, 'job'));
    expect(removal!.votes.map(({ outcome }) => outcome)).toEqual(['released', 'released', 'released']);
    await clock.advance(ttlMs);
    expect({ aborted: lock.signal.aborted, keys: nodes.flatMap(({ keys }) => keys) }).toEqual({
      aborted: true,
      keys: [],
    });
  },
);

it('P12: what is removed by force does not come back while an extension heals one server and another is not reached', async () => {
  const { clock, nodes, lock, operatorOver } = await held(30_000, 10);
  nodes[2]!.flush(); // it was restarted without its data
  const away: LockNode = {
    name: 'node-2',
    ensureConnected: () => ({ status: 'down', cause: new Error('no route') }),
    reasonNotToVote: () => undefined,
    onChange: () => undefined,
    execute: (_, __, onError) => onError(new Error('no route')),
    listen: () => () => undefined,
  };
  await clock.advance(9_990); // the first extension leaves
  const { value: removal } = await clock.settle(remove(operatorOver([nodes[0]!, away, nodes[2]!]), 'job'));
  expect(removal!.votes.map(({ outcome }) => outcome).sort()).toEqual(['failed', 'released', 'released']);
  await clock.advance(60_000);
  expect(lock.signal.aborted).toBe(true);
});
