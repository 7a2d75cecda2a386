import { describe, expect, it } from '@jest/globals';
import { getEventListeners } from 'node:events';
import type { AcquireOptions, Lock, RedlockOptions } from '../../lib/interfaces/index.js';
import type { RedlockService } from '../../lib/redlock.service.js';
import { WithLock } from 'redlock-nestjs';
import type { ModelNode } from '../support/model-node.js';
import { modelWorld, timesOf, type ModelWorld } from '../support/model-service.js';

const HOUR_MS = 3_600_000;
const KEY = 'redlock:job';

/** Somebody else holds the lock, for an hour unless said otherwise. */
function plantAll({ nodes }: ModelWorld, ttlMs = HOUR_MS): void {
  for (const node of nodes) node.plant(KEY, 'other', ttlMs, 'other-host:1', 1);
}

function stallAll({ nodes }: ModelWorld): void {
  for (const node of nodes) node.stall();
}

const acquiresAt = (node: ModelNode | undefined): number =>
  node?.arrived.filter(({ kind }) => kind === 'acquire').length ?? 0;

const done = (): Promise<void> => Promise.resolve();

async function lockOf(world: ModelWorld, options: RedlockOptions = {}, call: AcquireOptions = {}): Promise<Lock> {
  const { value, error } = await world.clock.settle(world.serve(options).acquire('job', '1s', call));
  if (value === undefined) throw error;
  return value;
}

describe('wait', () => {
  it.each<[string, RedlockOptions, AcquireOptions, number]>([
    ['is 10 s by default', {}, {}, 10_000],
    ['is that of the module', { wait: '3s' }, {}, 3000],
    ['is that of the call rather than of the module', { wait: '3s' }, { wait: 700 }, 700],
    ['of 0 is one decision', {}, { wait: 0 }, 0],
    ['of 0 may be that of the module', { wait: 0 }, {}, 0],
  ])('P5: %s', async (_, options, call, waitMs) => {
    for (const where of ['acquire', 'withLock'] as const) {
      const world = modelWorld();
      plantAll(world);
      const service = world.serve(options);
      const asked: Promise<unknown> =
        where === 'acquire'
          ? service.acquire('job', '5s', call)
          : service.withLock('job', '5s', () => Promise.resolve(), call);
      const { error, tookMs } = await world.clock.settle(asked);
      expect(error).toMatchObject({ code: 'LOCK_CONTENDED', owner: 'other-host:1' });
      expect(tookMs).toBeGreaterThanOrEqual(waitMs);
      expect(tookMs).toBeLessThanOrEqual(waitMs === 0 ? 0 : waitMs + 1000);
      if (waitMs === 0) expect(acquiresAt(world.nodes[0])).toBe(1);
    }
  });

  it('of Infinity goes on until the lock is there', async () => {
    const world = modelWorld();
    plantAll(world);
    const { signal } = new AbortController();
    const asked = world.serve().acquire('job', '5s', { wait: Infinity, signal });
    const { value, tookMs } = await world.clock.settle(asked, 2 * HOUR_MS);
    expect(value?.isHeld()).toBe(true);
    expect(tookMs).toBeGreaterThanOrEqual(HOUR_MS);
  });
});

describe('maxRetries', () => {
  it.each<[string, RedlockOptions, AcquireOptions, number]>([
    ['is that of the module', { maxRetries: 2 }, {}, 2],
    ['is that of the call rather than of the module', { maxRetries: 2 }, { maxRetries: 4 }, 4],
    ['of 0 is one decision, whatever the wait', {}, { maxRetries: 0, wait: '1h' }, 0],
  ])('%s', async (_, options, call, retries) => {
    const world = modelWorld(1);
    plantAll(world);
    const { error } = await world.clock.settle(world.serve({ wait: '1h', ...options }).acquire('job', '5s', call));
    expect(error).toMatchObject({ code: 'LOCK_CONTENDED' });
    expect(acquiresAt(world.nodes[0])).toBe(retries + 1);
  });

  it('has no bound by default: it is the wait that ends it', async () => {
    const world = modelWorld(1);
    plantAll(world);
    world.nodes[0]!.deaf = true;
    const { tookMs } = await world.clock.settle(world.serve({ wait: '5m' }).acquire('job', '5s'));
    expect(tookMs).toBeGreaterThanOrEqual(300_000);
    expect(acquiresAt(world.nodes[0])).toBeGreaterThan(100);
  });
});

describe('retryDelay and maxRetryDelay', () => {
  const gaps = (times: readonly number[]): number[] => times.slice(1).map((time, index) => time - times[index]!);

  it.each<[string, RedlockOptions, number, number[]]>([
    ['by default', {}, 1, [50, 100, 200, 400, 800, 1000, 1000]],
    ['as they are given', { retryDelay: 20, maxRetryDelay: '90ms' }, 1, [20, 40, 80, 90, 90, 90, 90]],
    ['with jitter', { retryDelay: 20, maxRetryDelay: 80 }, 0.5, [10, 20, 40, 40, 40, 40, 40]],
  ])('are the ceilings of the pauses between rounds, %s', async (_, options, random, expected) => {
    const world = modelWorld(1);
    plantAll(world);
    const times = timesOf(world.nodes[0]!, world.clock, 'acquire');
    const service = world.serve(options, () => random);
    await world.clock.settle(service.acquire('job', '5s', { wait: '1h', maxRetries: 7 }));
    expect(gaps(times)).toEqual(expected);
  });

  it('maxRetryDelay is the ceiling also in a contest, where the first pause follows the round trip', async () => {
    const world = modelWorld(3);
    world.nodes.forEach((node, index) => {
      node.plant(KEY, `other ${index}`, HOUR_MS);
      node.delayMs = 100;
    });
    const times = timesOf(world.nodes[0]!, world.clock, 'acquire');
    const service = world.serve({ maxRetryDelay: 150 }, () => 1);
    await world.clock.settle(service.acquire('job', '5s', { wait: '3s' }));
    // A round, six round trips out of the way of the leader, and the pause on top.
    expect(gaps(times).slice(0, 4)).toEqual([800, 850, 850, 850]);
  });

  it('retryDelay is the least pause between extensions that too few servers answer', async () => {
    const world = modelWorld();
    const lock = await lockOf(world, { retryDelay: 300 }, { autoExtend: true });
    const times = timesOf(world.nodes[0]!, world.clock, 'extend');
    for (const node of world.nodes) node.refusal = new Error('BUSY');
    const startMs = world.clock.nowMs();
    await world.clock.advance(2000);
    expect(times.map((time) => Math.round(time - startMs))).toEqual([330, 630, 930]);
    expect(lock.signal.reason).toMatchObject({ reason: 'expired' });
  });
});

describe('driftFactor', () => {
  it.each([
    [undefined, 1000 - 12, 60_000 - 602],
    [0.1, 1000 - 102, 60_000 - 6002],
    [0, 1000 - 2, 60_000 - 2],
  ])('P6: of %p is taken from the validity of a grant and of an extension', async (driftFactor, first, second) => {
    const world = modelWorld();
    const lock = await lockOf(world, { driftFactor });
    expect(lock.remaining).toBeCloseTo(first, 6);
    await world.clock.settle(lock.extend('1m'));
    expect(lock.remaining).toBeCloseTo(second, 6);
  });
});

describe('nodeTimeout', () => {
  /** By the ttl, the option, and what comes of it. */
  const CASES: [string, string, RedlockOptions, number][] = [
    ['is 500 ms by default', '1m', {}, 500],
    ['is what was given', '1m', { nodeTimeout: '70ms' }, 70],
    ['is never above a quarter of the ttl', '400ms', {}, 100],
    ['is never above a quarter of the ttl, whatever was given', '2s', { nodeTimeout: '9s' }, 500],
  ];

  it.each(CASES)('P5: %s: acquire', async (_, ttl, options, timeoutMs) => {
    const world = modelWorld();
    stallAll(world);
    const { error, tookMs } = await world.clock.settle(world.serve(options).acquire('job', ttl as '1m', { wait: 0 }));
    expect(error).toMatchObject({ message: expect.stringContaining(`node-1: no answer within ${timeoutMs} ms`) });
    expect(tookMs).toBe(timeoutMs);
  });

  it.each(CASES)('P5: %s: extend and release', async (_, ttl, options, timeoutMs) => {
    const world = modelWorld();
    const service = world.serve(options);
    const { value: lock } = await world.clock.settle(service.acquire('job', ttl as '1m'));
    stallAll(world);
    const extended = await world.clock.settle(lock!.extend());
    expect(extended).toMatchObject({ tookMs: timeoutMs, error: { code: 'QUORUM_UNREACHABLE' } });
    const released = await world.clock.settle(lock!.release());
    expect(released).toMatchObject({ tookMs: timeoutMs, error: { code: 'QUORUM_UNREACHABLE' } });
  });

  it.each([
    [{}, 500],
    [{ nodeTimeout: 70 }, 70],
  ])('P5: bounds inspect and forceRelease, which have no ttl: %p', async (options, timeoutMs) => {
    const world = modelWorld();
    stallAll(world);
    const service = world.serve(options);
    expect(await world.clock.settle(service.inspect('job'))).toMatchObject({ tookMs: timeoutMs });
    expect(await world.clock.settle(service.forceRelease('job'))).toMatchObject({ tookMs: timeoutMs });
  });

  it('P5: bounds acquire by two of it, also where the drift allowance eats most of the ttl', async () => {
    const world = modelWorld();
    for (const [index, node] of world.nodes.entries()) {
      node.delayMs = 240;
      node.startOfCount = () => 1000 * (index + 1); // The fencing token takes a second trip.
    }
    const service = world.serve({ driftFactor: 0.6, nodeTimeout: 250 });
    const { error, tookMs } = await world.clock.settle(service.acquire('job', '1s', { wait: 0 }));
    expect(error).toMatchObject({ code: 'QUORUM_UNREACHABLE' });
    expect(tookMs).toBeLessThanOrEqual(500);
  });

  it('P15: bounds what shutdown gives back to a server that does not answer', async () => {
    const world = modelWorld();
    const service = world.serve({ nodeTimeout: 70 });
    await world.clock.settle(service.acquire('job', '1m'));
    stallAll(world);
    const { error, tookMs } = await world.clock.settle(service.onApplicationShutdown());
    expect({ error, tookMs }).toEqual({ error: undefined, tookMs: 140 });
  });
});

describe('maxConcurrency', () => {
  it.each([
    [{}, 10],
    [{ maxConcurrency: 2 }, 2],
  ])('bounds the round trips to each server, and drops nothing: %p', async (options, most) => {
    const world = modelWorld();
    const service = world.serve(options);
    for (const node of world.nodes) node.delayMs = 100;
    const locks = Array.from({ length: 20 }, async (_, index) => {
      await new Promise<void>((resolve) => world.clock.after(index, resolve));
      return await service.acquire(`job ${index}`, '1m');
    });
    await world.clock.advance(90);
    for (const node of world.nodes) expect(node.trips).toBe(most);
    expect((await world.clock.settle(Promise.all(locks))).value).toHaveLength(20);
  });
});

describe('owner and keyPrefix', () => {
  it('stand in every request', async () => {
    const world = modelWorld();
    const service = world.serve({ owner: 'worker 7', keyPrefix: 'mine:' });
    const { value: lock } = await world.clock.settle(service.acquire('job', '5s', { tick: 5 }));
    expect(world.nodes[0]?.keys).toEqual(['mine:job', '{mine:job}:tick:5']);
    await world.clock.settle(lock!.extend());
    expect((await world.clock.settle(service.inspect('job'))).value).toMatchObject({ held: true, owner: 'worker 7' });
    await world.clock.settle(lock!.release());
    await world.clock.settle(service.acquire('job', '5s'));
    expect((await world.clock.settle(service.forceRelease('job'))).value).toBe(true);
    const { arrived } = world.nodes[0]!;
    expect(new Set(arrived.map(({ kind }) => kind))).toEqual(
      new Set(['acquire', 'extend', 'inspect', 'release', 'remove']),
    );
    for (const { owner, claims } of arrived) {
      expect(owner).toBe('worker 7');
      for (const { key } of claims) expect(key).toMatch(/^mine:job$|^\{mine:job\}:tick:5$/);
    }
  });
});

describe('signal', () => {
  const reason = { not: 'an Error' };

  it('cancels the waiting, with its own reason', async () => {
    for (const where of ['acquire', 'tryAcquire', 'withLock'] as const) {
      const world = modelWorld();
      plantAll(world);
      const controller = new AbortController();
      const options = { signal: controller.signal, wait: '1m' } as const;
      const service = world.serve();
      const asked =
        where === 'withLock'
          ? service.withLock('job', '5s', () => Promise.resolve(), options)
          : service[where]('job', '5s', options);
      world.clock.after(1234, () => {
        controller.abort(reason);
      });
      const { error, tookMs } = await world.clock.settle<unknown>(asked);
      expect(error).toBe(reason);
      expect(tookMs).toBe(1234);
    }
  });

  it('that had aborted before keeps everything from being sent', async () => {
    const world = modelWorld();
    const asked = world.serve().acquire('job', '5s', { signal: AbortSignal.abort(reason) });
    expect((await world.clock.settle(asked)).error).toBe(reason);
    expect(world.nodes[0]?.arrived).toEqual([]);
  });

  it('does nothing to a lock that was granted, and is not listened to any more', async () => {
    const world = modelWorld();
    const controller = new AbortController();
    const lock = await lockOf(world, {}, { signal: controller.signal });
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    controller.abort(reason);
    await world.clock.advance(10);
    expect(lock.isHeld()).toBe(true);
    expect(lock.signal.aborted).toBe(false);
  });
});

describe('autoExtend, minHold and maxHold', () => {
  const inAMinute = (world: ModelWorld) => (): Promise<string> =>
    new Promise((resolve) =>
      world.clock.after(60_000, () => {
        resolve('done');
      }),
    );

  it('autoExtend: a lock of acquire ends with its ttl, unless it was said', async () => {
    for (const [call, held] of [
      [{}, false],
      [{ autoExtend: false }, false],
      [{ autoExtend: true }, true],
    ] as const) {
      const world = modelWorld();
      const lock = await lockOf(world, {}, call);
      await world.clock.advance(60_000);
      expect(lock.isHeld()).toBe(held);
    }
  });

  it('autoExtend: withLock keeps the lock for as long as the work runs, unless it was said', async () => {
    for (const [call, expected] of [
      [{}, { value: 'done' }],
      [{ autoExtend: true }, { value: 'done' }],
      [{ autoExtend: false }, { error: { code: 'LOCK_LOST', reason: 'expired' } }],
    ] as const) {
      const world = modelWorld();
      const run = world.serve().withLock('job', '1s', inAMinute(world), call);
      expect(await world.clock.settle(run)).toMatchObject(expected);
    }
  });

  it('minHold keeps others out for so long after the grant; without it nobody', async () => {
    for (const [call, leftMs] of [
      [{}, 0],
      [{ minHold: '1s' }, 1000 - 150],
    ] as const) {
      const world = modelWorld();
      const lock = await lockOf(world, {}, call);
      await world.clock.advance(150);
      await world.clock.settle(lock.release());
      for (const node of world.nodes) expect(node.ttlOf(KEY)).toBe(leftMs);
    }
  });

  it('P3, P16: a minHold that is longer than the ttl is refused: it would end with the ttl when the holder dies', async () => {
    const service = modelWorld().serve();
    for (const verb of [
      service.acquire('job', '1s', { minHold: '2s' }),
      service.withLock('job', '1s', done, { minHold: 1001 }),
    ]) {
      await expect(verb).rejects.toThrow(
        /^minHold: takes at most the ttl, 1000 ms, because .* holder dies, got (2000|1001)$/,
      );
    }
    expect(() => WithLock('job', '1s', { minHold: '2s' })({}, 'run', { value: done })).toThrow(
      /^minHold: .*at most the ttl, 1000 ms/,
    );
  });

  it('maxHold ends a lock that is extended by itself, and its work', async () => {
    const world = modelWorld();
    let abortedAfterMs = 0;
    const startMs = world.clock.nowMs();
    const run = world.serve().withLock(
      'job',
      '1s',
      async ({ signal }) => {
        await new Promise((resolve) => {
          signal.addEventListener('abort', resolve);
        });
        abortedAfterMs = world.clock.nowMs() - startMs;
      },
      { maxHold: '5s' },
    );
    expect(await world.clock.settle(run)).toMatchObject({ error: { code: 'LOCK_LOST', reason: 'expired' } });
    expect(abortedAfterMs).toBeGreaterThan(4990);
    expect(abortedAfterMs).toBeLessThanOrEqual(5000);
  });

  it('maxHold has no end by default', async () => {
    const world = modelWorld();
    const lock = await lockOf(world, {}, { autoExtend: true });
    await world.clock.advance(300_000);
    expect(lock.isHeld()).toBe(true);
  });
});

describe('fencing', () => {
  it.each<[string, RedlockOptions, AcquireOptions, boolean]>([
    ['is on by default', {}, {}, true],
    ['is off where the module says so', { fencing: false }, {}, false],
    ['is off where the call says so', {}, { fencing: false }, false],
    ['is on where the call says so', { fencing: false }, { fencing: true }, true],
  ])('P2: %s', async (_, options, call, on) => {
    const world = modelWorld();
    const service: RedlockService = world.serve(options);
    const tokens: number[] = [];
    for (let grant = 0; grant < 3; grant++) {
      const { value: lock } = await world.clock.settle(service.acquire('job', '5s', call));
      tokens.push(lock!.fencingToken);
      await world.clock.settle(lock!.release());
    }
    expect(tokens).toEqual(on ? [1, 2, 3] : [0, 0, 0]);
    expect(world.nodes[0]?.counterOf('{redlock:job}:fence')).toBe(on ? 3 : undefined);
  });
});

describe('tick', () => {
  const atMs = Date.UTC(2030, 0, 1);

  it.each<[string, AcquireOptions['tick']]>([
    ['a Date', new Date(atMs)],
    ['milliseconds', atMs],
    ['an instant with its period', { atMs, periodMs: 60_000 }],
  ])('P8: as %s is claimed with the key, stays, and has run from then on', async (_, tick) => {
    const world = modelWorld();
    const [one, other] = [world.serve(), world.serve()];
    const run = (service: RedlockService, options: AcquireOptions = { tick }): Promise<string> =>
      service.withLock('job', '5s', () => Promise.resolve('ran'), options);
    expect((await world.clock.settle(run(one))).value).toBe('ran');
    await world.clock.advance(10);
    for (const node of world.nodes) expect(node.keys).toEqual([`{${KEY}}:tick:${atMs}`]);
    // At once, whatever the wait: it is over with this tick.
    expect(await world.clock.settle(run(other))).toMatchObject({ tookMs: 0, error: { code: 'LOCK_CONTENDED' } });
    expect((await world.clock.settle(run(other, { tick: atMs + 1 }))).value).toBe('ran');
    expect((await world.clock.settle(run(other, {}))).value).toBe('ran');
  });

  it('P8: stays for its period rather than for a day, where it says it', async () => {
    const world = modelWorld();
    const service = world.serve({ clockTolerance: '5s' });
    const keep = async (tick: AcquireOptions['tick']): Promise<number> => {
      await world.clock.settle(service.withLock('job', '5s', () => Promise.resolve(), { tick, wait: 0 }));
      return world.nodes[0]!.ttlOf(`{${KEY}}:tick:${atMs}`);
    };
    expect(await keep({ atMs, periodMs: 60_000 })).toBeCloseTo((5000 + 60_000 + 15_000 + 1000) * 1.01, 3);
    world.nodes.forEach((node) => {
      node.flush();
    });
    expect(await keep(atMs)).toBeCloseTo((5000 + 24 * HOUR_MS + 1000) * 1.01, 3);
  });
});
