import { describe, expect, it } from '@jest/globals';
import { ReleaseNotifications } from '../../../lib/core/release-notifications.js';
import { NodeQueue } from '../../../lib/core/node-queue.js';
import { execute } from '../../support/execute.js';
import type { ModelNode } from '../../support/model-node.js';
import { modelNodes } from '../../support/model-quorum.js';
import { VirtualClock } from '../../support/virtual-clock.js';

const RELEASE = { kind: 'release', token: 't', owner: 'me', claims: [{ key: 'k', ttlMs: 0, channel: 'k' }] } as const;

async function listening(): Promise<{ clock: VirtualClock; nodes: ModelNode[]; notifications: ReleaseNotifications }> {
  const clock = new VirtualClock();
  const nodes = modelNodes(3, clock);
  const notifications = new ReleaseNotifications(
    { clock, queues: nodes.map((node) => new NodeQueue(node, clock, 10)) },
    ['k'],
  );
  await clock.advance(1);
  for (const node of nodes) node.plant('k', 't', 10_000);
  return { clock, nodes, notifications };
}

describe('the notifications', () => {
  it('gives the other servers some time when one has told', async () => {
    const { clock, nodes, notifications } = await listening();
    clock.after(10, () => void execute(nodes[0]!, [RELEASE]));
    expect(await clock.settle(notifications.waitForRelease(1000, 50))).toMatchObject({ value: 1, tookMs: 60 });
  });

  it('seen at once when a majority has told', async () => {
    const { clock, nodes, notifications } = await listening();
    nodes.forEach((node, index) => clock.after(10 * index, () => void execute(node, [RELEASE])));
    expect(await clock.settle(notifications.waitForRelease(1000, 50))).toMatchObject({ value: 1, tookMs: 10 });
  });

  it('P5: does not wait for the other servers when the time is over', async () => {
    const { clock, nodes, notifications } = await listening();
    clock.after(90, () => void execute(nodes[0]!, [RELEASE]));
    expect(await clock.settle(notifications.waitForRelease(100, 500))).toMatchObject({ value: 1, tookMs: 100 });
  });
});
