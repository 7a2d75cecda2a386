import { expect, it } from '@jest/globals';
import { acquire, modelNodes, planFor, quorumOver } from '../../support/model-quorum.js';
import { VirtualClock } from '../../support/virtual-clock.js';

it('P7: those behind the first in line hear of an outage, too, and not of a holder of before', async () => {
  const clock = new VirtualClock();
  const nodes = modelNodes(3, clock);
  for (const node of nodes) {
    node.delayMs = 10;
    node.plant('job', 'other', 10_000, 'there:1');
  }
  const quorum = quorumOver(nodes, clock);
  const codeAfter = (waitMs: number): Promise<unknown> =>
    acquire(quorum, planFor({ waitMs })).then(
      () => 'granted',
      (error: unknown) => (error as { code: string }).code,
    );
  const both = Promise.all([codeAfter(2000), codeAfter(1000)]);
  await clock.advance(100);
  for (const node of nodes.slice(0, 2)) node.disconnect();
  expect((await clock.settle(both)).value).toEqual(['QUORUM_UNREACHABLE', 'QUORUM_UNREACHABLE']);
});
