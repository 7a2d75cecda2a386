import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { ConsoleLogger, Logger } from '@nestjs/common';
import type { PossiblyHeld } from '../../../lib/core/possibly-held.js';
import { modelWorld } from '../../support/model-service.js';

beforeAll(() => {
  Logger.overrideLogger(false);
});
afterAll(() => {
  Logger.overrideLogger(new ConsoleLogger());
});

it('P8, P6: a process that stood still before it asked for the tick of a nested call does not run it again', async () => {
  const world = modelWorld();
  const [other, slow] = [world.serve({ clockTolerance: '1s' }), world.serve({ clockTolerance: '1s' })];
  const ran: string[] = [];
  const options = { tick: { atMs: Date.now(), periodMs: 1000 }, wait: 250, onContended: 'skip' } as const;
  await world.clock.settle(other.withLock('job', '1s', () => Promise.resolve(ran.push('other')), options));
  const run = slow.withLock('job', '1m', async () => {
    for (const node of world.nodes) node.delayMs = 20;
    // While the servers are asked whether the job is paused, the process stands still, and the claim of the tick ends.
    world.clock.after(15, () => {
      world.clock.stall(10_000);
    });
    await slow
      .withLock('job', '1m', () => Promise.resolve(ran.push('slow')), { ...options, reentrant: true })
      .catch(() => undefined);
  });
  await world.clock.settle(run);
  expect(ran).toEqual(['other']);
});

it('P20: a tick that is claimed within work that holds its key does not begin after the job was paused', async () => {
  const world = modelWorld();
  const [one, two] = [world.serve(), world.serve()];
  let isPaused = false;
  const ran: boolean[] = [];
  const run = one.withLock('job', '1m', async () => {
    for (const node of world.nodes) {
      const execute = node.execute.bind(node);
      node.execute = (requests, ...callbacks) => {
        const isClaim = requests.some(({ kind }) => kind === 'acquire');
        world.clock.after(isClaim ? 100 : 0, () => {
          execute(requests, ...callbacks);
        });
      };
    }
    world.clock.after(50, () => void two.client.jobs.pause({ keys: 'job' }).then(() => (isPaused = true)));
    const options = { reentrant: true, tick: world.clock.wallMs(), onContended: 'skip' } as const;
    await one.withLock('job', '1m', () => Promise.resolve(ran.push(isPaused)), options);
  });
  await world.clock.settle(run);
  expect(isPaused).toBe(true);
  expect(ran).toEqual([]);
});

it('P11, P18: nothing is remembered of the tick of a nested call', async () => {
  const world = modelWorld();
  const service = world.serve();
  const options = { reentrant: true, tick: world.clock.wallMs() } as const;
  const run = service.withLock('job', '1s', () => service.withLock('job', '1s', () => Promise.resolve('ran'), options));
  expect((await world.clock.settle(run)).value).toBe('ran');
  await world.clock.advance(7 * 24 * 3600 * 1000);
  const tokens = new Set(world.nodes.flatMap(({ arrived }) => arrived.map(({ token }) => token)));
  const queues = service.client.shards.list.flatMap(({ quorum }) => quorum.queues);
  const remembered = [...tokens].filter((token) =>
    queues.some((queue) => (queue as unknown as { possiblyHeld: PossiblyHeld }).possiblyHeld.get(token)),
  );
  expect(remembered).toEqual([]);
});
