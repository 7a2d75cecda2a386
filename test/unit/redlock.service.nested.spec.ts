import { describe, expect, it } from '@jest/globals';
import { modelWorld } from '../support/model-service.js';

const done = (): Promise<string> => Promise.resolve('done');

describe('nested withLock', () => {
  it('runs under the lock that this async context holds, also with another lock in between', async () => {
    const world = modelWorld();
    const service = world.serve();
    const run = service.withLock('job', '1s', () =>
      service.withLock('other', '1s', () => service.withLock('job', '1s', done, { wait: '2s' })),
    );
    expect(await world.clock.settle(run)).toEqual({ value: 'done', tookMs: 0 });
  });

  it('runs under it also with another instance in between', async () => {
    const world = modelWorld();
    const one = world.serve({ keyPrefix: 'one:' });
    const two = world.serve({ keyPrefix: 'two:' });
    const run = one.withLock('job', '1s', () =>
      two.withLock('job', '1s', () => one.withLock('job', '1s', done, { wait: '2s' })),
    );
    expect(await world.clock.settle(run)).toEqual({ value: 'done', tookMs: 0 });
  });

  it('P16: refuses bad input as ever', async () => {
    const world = modelWorld();
    const service = world.serve();
    const bad = { wiat: 5, wait: NaN } as object;
    const run = service.withLock('job', '1s', () => service.withLock('job', NaN, done, bad));
    expect((await world.clock.settle(run)).error).toMatchObject({ code: 'INVALID_OPTIONS' });
  });

  it('P8: claims its tick, and does not run one that has run', async () => {
    const world = modelWorld();
    const [one, two] = [world.serve(), world.serve()];
    let runs = 0;
    const work = (): Promise<void> => {
      runs++;
      return Promise.resolve();
    };
    const options = { tick: 1_000_000, onContended: 'skip' } as const;
    for (const service of [one, two]) {
      await world.clock.settle(service.withLock('job', '1s', () => service.withLock('job', '1s', work, options)));
      await world.clock.advance(10);
    }
    expect(runs).toBe(1);
  });

  it('P10: work that ends after the lock was lost rejects, nested work too', async () => {
    const world = modelWorld();
    const service = world.serve();
    let inner: unknown;
    const run = service.withLock('job', '1s', async () => {
      await service
        .withLock('job', '1s', () => {
          world.clock.stall(5000); // the event loop stands still
          return Promise.resolve();
        })
        .then(
          () => (inner = 'fulfilled'),
          (error: unknown) => (inner = error),
        );
    });
    await world.clock.settle(run);
    expect(inner).toMatchObject({ code: 'LOCK_LOST' });
  });

  it('P9, P1: nested work that nobody waits for does not go on while somebody else has the lock', async () => {
    const world = modelWorld();
    const [one, two] = [world.serve(), world.serve()];
    let inside = 0;
    let most = 0;
    let seen: unknown;
    const section = async (): Promise<void> => {
      most = Math.max(most, ++inside);
      await new Promise<void>((resolve) => world.clock.after(500, resolve));
      inside--;
    };
    let nested: Promise<unknown> = Promise.resolve();
    // An event that is emitted, and whose handler locks the same key; emit() waits for nobody.
    const outer = one.withLock('job', '1s', async () => {
      nested = one.withLock('job', '1s', async (lock) => {
        await section();
        seen = [lock.isHeld(), lock.signal.aborted];
      });
      await Promise.resolve();
    });
    await world.clock.settle(outer);
    await world.clock.advance(10);
    const other = world.clock.settle(two.withLock('job', '1s', section));
    await world.clock.advance(2000);
    const result = await Promise.allSettled([nested, other]);
    expect({ most, seen, nested: result[0].status }).toEqual({ most: 1, seen: [true, false], nested: 'fulfilled' });
  });
});
