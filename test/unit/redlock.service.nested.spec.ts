import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { AsyncResource } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { ConsoleLogger, Logger } from '@nestjs/common';
import { currentLock, type Lock, type RedlockService } from 'redlock-nestjs';
import { frameAround } from '../../lib/client/lock-scope.js';
import { CollectingLogger } from '../support/collecting-logger.js';
import { modelWorld } from '../support/model-service.js';

const done = (): Promise<string> => Promise.resolve('done');

const REENTRANT = { reentrant: true };
const logger = new CollectingLogger();
beforeEach(() => {
  logger.lines.splice(0);
  Logger.overrideLogger(logger);
});
afterAll(() => {
  Logger.overrideLogger(new ConsoleLogger());
});

describe('reentrant withLock', () => {
  it('runs under the lock that this async context holds, also with another lock in between', async () => {
    const world = modelWorld();
    const service = world.serve();
    const run = service.withLock('job', '1s', () =>
      service.withLock('other', '1s', () => service.withLock('job', '1s', done, REENTRANT)),
    );
    expect(await world.clock.settle(run)).toEqual({ value: 'done', tookMs: 0 });
  });

  it('runs under it also with another instance in between', async () => {
    const world = modelWorld();
    const one = world.serve({ keyPrefix: 'one:' });
    const two = world.serve({ keyPrefix: 'two:' });
    const run = one.withLock('job', '1s', () =>
      two.withLock('job', '1s', () => one.withLock('job', '1s', done, REENTRANT)),
    );
    expect(await world.clock.settle(run)).toEqual({ value: 'done', tookMs: 0 });
  });

  it('P16: refuses bad input as ever', async () => {
    const world = modelWorld();
    const service = world.serve();
    const bad = { ...REENTRANT, wiat: 5, wait: NaN } as object;
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
    const options = { tick: 1_000_000, onContended: 'skip', reentrant: true } as const;
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
        .withLock(
          'job',
          '1s',
          () => {
            world.clock.stall(5000); // the event loop stands still
            return Promise.resolve();
          },
          REENTRANT,
        )
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
      const work = async (lock: Lock): Promise<void> => {
        await section();
        seen = [lock.isHeld(), lock.signal.aborted];
      };
      nested = one.withLock('job', '1s', work, REENTRANT);
      await Promise.resolve();
    });
    await world.clock.settle(outer);
    await world.clock.advance(10);
    const other = world.clock.settle(two.withLock('job', '1s', section));
    await world.clock.advance(2000);
    const result = await Promise.allSettled([nested, other]);
    expect({ most, seen, nested: result[0].status }).toEqual({ most: 1, seen: [true, false], nested: 'fulfilled' });
  });

  it('P1: calls side by side take turns under the one lock, and what they nest runs within their turn', async () => {
    const world = modelWorld();
    const service = world.serve(REENTRANT);
    const trace: string[] = [];
    const section = async (name: string): Promise<void> => {
      trace.push(`${name} begins`);
      await new Promise<void>((resolve) => world.clock.after(100, resolve));
      trace.push(`${name} ends`);
    };
    const run = service.withLock('job', '1s', async () => {
      const first = service.withLock('job', '1s', async () => {
        void service.withLock('job', '1s', () => section('nested')); // It does not wait for this.
        await section('first');
      });
      await Promise.all([first, service.withLock('job', '1s', () => section('second'))]);
    });
    expect((await world.clock.settle(run)).error).toBeUndefined();
    const [second, ...before] = trace.toReversed();
    expect([before.at(0), second]).toEqual(['second begins', 'second ends']);
    expect(new Set(before.slice(1))).toEqual(new Set(['first begins', 'nested begins', 'first ends', 'nested ends']));
  });

  it('P5: a turn is waited for as long as the call says, and a turn that is given up keeps the order', async () => {
    const world = modelWorld();
    const service = world.serve(REENTRANT);
    const trace: string[] = [];
    const pause = (ms: number): Promise<void> => new Promise((resolve) => world.clock.after(ms, resolve));
    const run = service.withLock('job', '1s', async () => {
      const first = service.withLock('job', '1s', () => pause(500).then(() => trace.push('first')));
      const second = service.withLock('job', '1s', done, { wait: 100 }).catch((error: unknown) => {
        trace.push('second gives up');
        return error;
      });
      const third = service.withLock('job', '1s', () => Promise.resolve(trace.push('third')));
      return (await Promise.all([first, second, third]))[1];
    });
    expect((await world.clock.settle(run)).value).toMatchObject({ code: 'LOCK_CONTENDED' });
    expect(trace).toEqual(['second gives up', 'first', 'third']);
  });
});

describe('withLock that is not reentrant, as by default', () => {
  /** What a call within work that holds the key comes to, and what was logged at once. */
  async function within(
    call: (service: RedlockService) => Promise<unknown>,
    outer: string | string[] = 'job',
  ): Promise<{ error?: unknown; value?: unknown; tookMs: number; warned: string[] }> {
    const world = modelWorld();
    const service = world.serve();
    let warned: string[] = [];
    const run = service.withLock(outer, '5s', async () => {
      const nested = call(service);
      warned = [...logger.problems];
      return await nested;
    });
    return { ...(await world.clock.settle(run)), warned };
  }

  it.each<[string, (service: RedlockService) => Promise<unknown>]>([
    ['withLock', (service) => service.withLock('job', '5s', done, { wait: '2s' })],
    ['withLock', (service) => service.withLock(['other', 'job'], '5s', done, { wait: '2s' })],
    ['acquire', (service) => service.acquire('job', '5s', { wait: '2s' })],
    ['acquire', (service) => service.acquire(['job', 'other'], '5s', { wait: '2s' })],
  ])(
    '%s waits like any other call for a key that its context holds; it is said at once, and in the error',
    async (caller, call) => {
      const { error, tookMs, warned } = await within(call);
      expect(tookMs).toBe(2000);
      expect(warned).toEqual([
        expect.stringMatching(`^${caller} asks for "job" within work that holds it.*reentrant: true`),
      ]);
      expect(error).toMatchObject({
        code: 'LOCK_CONTENDED',
        message: expect.stringMatching(/"job".* is locked by .*holds "job" itself.*reentrant: true/),
      });
    },
  );

  it('a call that does not wait is not warned of, and other keys are no matter', async () => {
    const refused = await within((service) => service.tryAcquire('job', '5s'));
    expect(refused).toMatchObject({ value: null, tookMs: 0, warned: [] });
    const other = await within((service) => service.withLock('other', '5s', done));
    expect(other).toMatchObject({ value: 'done', warned: [] });
  });

  it('warns once for each key and caller, and not without end', async () => {
    const world = modelWorld();
    const service = world.serve();
    const keys = Array.from({ length: 150 }, (_, index) => `key-${index}`);
    const run = service.withLock(keys, '5s', async () => {
      for (const key of [...keys, ...keys]) await service.withLock(key, '5s', done, { wait: 1 }).catch(() => undefined);
    });
    await world.clock.settle(run);
    expect(logger.problems).toHaveLength(100);
    expect(new Set(logger.problems).size).toBe(100);
  });

  it('P1: a round that a timer or an event starts under the lock waits for the lock', async () => {
    const world = modelWorld();
    const service = world.serve();
    let [inside, most, rounds] = [0, 0, 0];
    const seen: unknown[] = [];
    const poll = async (): Promise<void> => {
      await service.withLock('job', '5s', async (lock) => {
        most = Math.max(most, ++inside);
        seen.push(currentLock() === lock);
        if (++rounds < 8) {
          if (rounds % 2 === 0) void poll();
          else
            world.clock.after(
              100,
              AsyncResource.bind(() => void poll()),
            );
        }
        await new Promise<void>((resolve) => world.clock.after(400, resolve));
        inside--;
      });
    };
    void poll();
    await world.clock.advance(10_000);
    expect({ most, rounds, seen: new Set(seen) }).toEqual({ most: 1, rounds: 8, seen: new Set([true]) });
  });
});

describe('currentLock after the work has ended', () => {
  it('is the lock around it whose work goes on, or none: a timer that fires later sees no lock that is over', async () => {
    const world = modelWorld();
    const service = world.serve();
    const seen: unknown[] = [];
    const run = service.withLock('outer', '5s', async (outer) => {
      await service.withLock('inner', '5s', (inner) => {
        const look = (): void => {
          seen.push([currentLock() === inner, currentLock() === outer, currentLock() === undefined]);
        };
        look();
        for (const ms of [100, 1000]) world.clock.after(ms, AsyncResource.bind(look));
        return Promise.resolve();
      });
      await new Promise<void>((resolve) => world.clock.after(500, resolve));
    });
    await world.clock.settle(run);
    await world.clock.advance(1000);
    expect(seen).toEqual([
      [true, false, false],
      [false, true, false],
      [false, false, true],
    ]);
  });

  it('is the lost lock while the work goes on, so that what asserts it deep down fails', async () => {
    const world = modelWorld();
    const service = world.serve();
    const run = service.withLock('job', '1s', () => {
      world.clock.stall(5000);
      currentLock()?.assertHeld();
      return Promise.resolve();
    });
    expect((await world.clock.settle(run)).error).toMatchObject({ code: 'LOCK_LOST', reason: 'expired' });
  });

  it('P18: nothing of a round is kept by the timers that rounds start one after the other', async () => {
    const world = modelWorld(1);
    const service = world.serve();
    const kept: WeakRef<object>[] = [];
    let end = (_: AsyncResource): void => undefined;
    const ended = new Promise<AsyncResource>((resolve) => (end = resolve));
    // As `setTimeout(() => this.poll())` in a method with @WithLock, with two keys in turn: each round begins within another.
    const round = async (left: number, onBegun?: () => void): Promise<void> => {
      await service.withLock(left % 2 === 0 ? 'even' : 'odd', '5s', async (lock) => {
        onBegun?.();
        for (const each of [lock, frameAround()!]) kept.push(new WeakRef(each));
        // What a timer that has not fired yet keeps.
        if (left === 0) end(new AsyncResource('timer'));
        else await new Promise<void>((resolve) => setTimeout(() => void round(left - 1, resolve), 0));
      });
    };
    void round(300);
    await keepGoing(world.clock, ended);
    await sleep(5);
    collectGarbage();
    await sleep(5);
    collectGarbage();
    expect((await ended).runInAsyncScope(currentLock)).toBeUndefined();
    expect(kept).toHaveLength(602);
    expect(kept.filter((each) => each.deref() !== undefined).length).toBeLessThan(40);
  });
});

/** Lets virtual time begin again and again, for what waits on it while real timers run. */
async function keepGoing(clock: { advance(ms: number): Promise<void> }, until: Promise<unknown>): Promise<void> {
  const over = { is: false };
  void until.then(() => (over.is = true));
  while (!over.is) await clock.advance(1);
}

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}
