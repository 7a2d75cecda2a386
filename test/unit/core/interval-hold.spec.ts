import { expect, it } from '@jest/globals';
import { modelWorld } from '../../support/model-service.js';

it('P8: the interval of a job is held from the call on, however late the lock was free', async () => {
  const world = modelWorld();
  const service = world.serve();
  const { value: before } = await world.clock.settle(service.acquire('job', '5s'));
  const calledAtMs = world.clock.nowMs();
  const run = world.clock.settle(
    service.withLock('job', '5s', () => Promise.resolve('ran'), { tick: { everyMs: 10_000 }, wait: 2000 }),
  );
  await world.clock.advance(1000);
  await world.clock.settle(before!.release());
  expect((await run).value).toBe('ran');
  const leftMs = world.nodes[0]!.ttlOf('{redlock:job}:tick:interval');
  const passedMs = world.clock.nowMs() - calledAtMs;
  expect(passedMs).toBeGreaterThanOrEqual(1000);
  expect(Math.abs(passedMs + leftMs - 10_000)).toBeLessThan(50);
});
