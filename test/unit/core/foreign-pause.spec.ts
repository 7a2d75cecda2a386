import { expect, it } from '@jest/globals';
import { acquire, modelNodes, planFor, quorumOver } from '../../support/model-quorum.js';
import { VirtualClock } from '../../support/virtual-clock.js';

it('P4, P20: a value in the place of the lock that looks like a pause pauses no job', async () => {
  const clock = new VirtualClock();
  const nodes = modelNodes(3, clock);
  nodes[0]!.plant('job', 'paused', 60_000, 'x', 7);
  const job = { key: '{job}:job', trigger: 'schedule', tickMs: 1000 } as const;
  const { error } = await clock.settle(acquire(quorumOver(nodes, clock), planFor({ job })));
  await clock.advance(1000);
  expect(error).toBeUndefined();
  expect(nodes.flatMap(({ arrived }) => arrived.filter(({ kind }) => kind === 'steer'))).toEqual([]);
});
