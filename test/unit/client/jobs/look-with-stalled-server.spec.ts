import { expect, it } from '@jest/globals';
import { modelWorld } from '../../../support/model-service.js';

const PLACE = { keys: 'report' };

it('P20: what looks at the register as its jitter ends does not wait for a stalled server, while a pause returns', async () => {
  const world = modelWorld();
  const [one, two] = [world.serve().client.jobs, world.serve().client.jobs];
  world.nodes[2]?.stall();
  const order: string[] = [];
  const pausing = one.pause(PLACE).then(() => order.push('paused'));
  await world.clock.advance(490);
  const looking = two
    .whyPaused(PLACE)
    .then((refusal) => order.push(refusal === undefined ? 'begins' : 'does not begin'));
  await world.clock.advance(2000);
  await Promise.all([pausing, looking]);
  expect(order).not.toEqual(['paused', 'begins']);
});
