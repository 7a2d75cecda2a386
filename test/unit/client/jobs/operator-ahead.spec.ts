import { expect, it } from '@jest/globals';
import { JobRegister } from '../../../../lib/client/jobs/job-register.js';
import type { Shards } from '../../../../lib/client/shards.js';
import { modelWorld } from '../../../support/model-service.js';

const HOUR_MS = 3_600_000;
const PLACE = { keys: 'report' };

it('P20: an operator whose clock is ahead covers no tick that is to come, when an earlier pause has ended by itself', async () => {
  const world = modelWorld();
  const { client } = world.serve();
  await world.clock.settle(client.jobs.pause(PLACE, { forMs: 1000 }));
  await world.clock.advance(5000);
  const quorum = client.shards.quorumOf(['report']);
  const clock = new Proxy(quorum.clock, {
    get(target, key): unknown {
      if (key === 'wallMs') return () => target.wallMs() + 2 * HOUR_MS;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const shards = { quorumOf: () => ({ ...quorum, clock }) } as unknown as Shards;
  const operator = new JobRegister(client.settings.keyPrefix, shards);
  await world.clock.settle(operator.pause(PLACE));
  await world.clock.settle(operator.resume(PLACE));
  const { value } = await world.clock.settle(client.jobs.read(PLACE));
  expect(value?.coveredMs).toBeLessThanOrEqual(world.clock.wallMs());
});
