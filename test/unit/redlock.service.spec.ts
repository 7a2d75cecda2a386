import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ConsoleLogger, Logger } from '@nestjs/common';
import type { Lock } from '../../lib/interfaces/index.js';
import { currentLock } from '../../lib/client/lock-scope.js';
import type { RedlockService } from '../../lib/redlock.service.js';
import { CollectingLogger } from '../support/collecting-logger.js';
import { modelWorld, type ModelWorld } from '../support/model-service.js';

const KEY = 'redlock:job';
const done = (): Promise<string> => Promise.resolve('done');

let logger: CollectingLogger;
beforeEach(() => {
  logger = new CollectingLogger();
  Logger.overrideLogger(logger);
});
afterAll(() => {
  Logger.overrideLogger(new ConsoleLogger());
});

function plantAll({ nodes }: ModelWorld, ttlMs = 3_600_000): void {
  for (const node of nodes) node.plant(KEY, 'other', ttlMs, 'other-host:1', 1);
}

async function lockOf(
  { clock }: ModelWorld,
  service: RedlockService,
  key: string | string[] = 'job',
  ttl: '1s' | '1m' = '1s',
): Promise<Lock> {
  const { value, error } = await clock.settle(service.acquire(key, ttl));
  if (value === undefined) throw error;
  await clock.advance(0);
  return value;
}

describe('tryAcquire', () => {
  it('gives the lock where nobody has it', async () => {
    const world = modelWorld();
    const { value: lock } = await world.clock.settle(world.serve().tryAcquire('job', '1s'));
    expect(lock?.isHeld()).toBe(true);
    expect(world.nodes[0]?.tokenAt(KEY)).toBe(lock?.token);
  });

  it('gives null at once where somebody else has it', async () => {
    const world = modelWorld();
    plantAll(world);
    expect(await world.clock.settle(world.serve().tryAcquire('job', '1s'))).toEqual({ value: null, tookMs: 0 });
    const named = world.serve().tryAcquire('job', '1s', { wait: undefined });
    expect(await world.clock.settle(named)).toEqual({ value: null, tookMs: 0 });
  });

  it('waits where it was told to', async () => {
    const world = modelWorld();
    plantAll(world, 300);
    const { value: lock } = await world.clock.settle(world.serve().tryAcquire('job', '1s', { wait: '1s' }));
    expect(lock?.isHeld()).toBe(true);
  });

  it('rejects where nobody can know, and with bad input', async () => {
    const world = modelWorld();
    for (const node of world.nodes) node.disconnect();
    const service = world.serve();
    const unknown = await world.clock.settle(service.tryAcquire('job', '1s'));
    expect(unknown.error).toMatchObject({ code: 'QUORUM_UNREACHABLE' });
    expect((await world.clock.settle(service.tryAcquire('', '1s'))).error).toMatchObject({ code: 'INVALID_OPTIONS' });
  });

  it('is not extended by itself', async () => {
    const world = modelWorld();
    const { value: lock } = await world.clock.settle(world.serve().tryAcquire('job', '1s'));
    await world.clock.advance(1000);
    expect(lock?.isHeld()).toBe(false);
  });
});

describe('withLock', () => {
  it('gives the result of the work, which gets the lock, and releases it', async () => {
    const world = modelWorld();
    const run = world.serve().withLock(['b', 'a'], '1s', (lock) => {
      expect(lock.isHeld()).toBe(true);
      expect(world.nodes[0]?.keys).toEqual(['redlock:a', 'redlock:b']);
      return Promise.resolve([lock.keys, lock.token === world.nodes[0]?.tokenAt('redlock:a')]);
    });
    expect((await world.clock.settle(run)).value).toEqual([['b', 'a'], true]);
    await world.clock.advance(0);
    for (const node of world.nodes) expect(node.keys).toEqual([]);
  });

  it("P10: gives the work's own error, and reports a release that fails as a warning", async () => {
    const world = modelWorld();
    const boom = new TypeError('boom');
    const run = world.serve().withLock('job', '1s', () => {
      for (const node of world.nodes) node.disconnect();
      return Promise.reject(boom);
    });
    expect((await world.clock.settle(run)).error).toBe(boom);
    expect(logger.problems).toEqual([
      expect.stringMatching(/could not be released everywhere.*Could not release "job"/),
    ]);
  });

  it('refuses work that is no function, before anything is sent', async () => {
    const world = modelWorld();
    const { error } = await world.clock.settle(world.serve().withLock('job', '1s', 'work' as never));
    expect(error).toMatchObject({ code: 'INVALID_OPTIONS', message: "work: takes a function, got 'work'" });
    expect(world.nodes[0]?.arrived).toEqual([]);
  });

  describe('onContended', () => {
    it.each([[{}], [{ onContended: 'throw' } as const], [{ onContended: undefined }]])(
      '%p: rejects when somebody else has it',
      async (options) => {
        const world = modelWorld();
        plantAll(world);
        const run = world.serve({ wait: 0 }).withLock('job', '1s', done, options);
        expect((await world.clock.settle(run)).error).toMatchObject({ code: 'LOCK_CONTENDED', keys: ['job'] });
        expect(logger.lines).toEqual([]);
      },
    );

    it('skip: returns undefined, after the wait, with one debug line', async () => {
      const world = modelWorld();
      plantAll(world);
      const run = world.serve().withLock('job', '1s', done, { onContended: 'skip', wait: '2s' });
      const { value, error, tookMs } = await world.clock.settle(run);
      expect({ value, error }).toEqual({ value: undefined, error: undefined });
      expect(tookMs).toBeGreaterThanOrEqual(2000);
      expect(logger.lines).toEqual([
        {
          level: 'debug',
          text: expect.stringMatching(/^Skipped \(locked\)\. "job" is locked by other-host:1\./),
        },
      ]);
    });

    it('skip: hides neither that nobody can know, nor an error of the work, be it of the same kind', async () => {
      const world = modelWorld();
      plantAll(world);
      const service = world.serve({ wait: 0 });
      const nested = service.withLock('own', '1s', () => service.withLock('job', '1s', done), { onContended: 'skip' });
      expect((await world.clock.settle(nested)).error).toMatchObject({ code: 'LOCK_CONTENDED', keys: ['job'] });
      for (const node of world.nodes) node.disconnect();
      const unknown = service.withLock('job', '1s', done, { onContended: 'skip' });
      expect((await world.clock.settle(unknown)).error).toMatchObject({ code: 'QUORUM_UNREACHABLE' });
    });

    it('P7, skip: is not quiet where nobody may have got it', async () => {
      const world = modelWorld();
      world.nodes.forEach((node, index) => {
        node.plant(KEY, `other ${index}`, 3_600_000);
      });
      const run = world.serve().withLock('job', '1s', done, { onContended: 'skip', wait: 0 });
      expect((await world.clock.settle(run)).value).toBeUndefined();
      expect(logger.problems).toEqual([expect.stringMatching(/^Skipped \(undecided\)\. "job" was contested/)]);
    });

    it('takes nothing else', async () => {
      const run = modelWorld()
        .serve()
        .withLock('job', '1s', done, { onContended: 'wait' as 'skip' });
      await expect(run).rejects.toThrow("onContended: takes 'throw' or 'skip', got 'wait'");
    });
  });

  it('nested on keys that it holds runs under the lock that it has where it is reentrant, and on others under a new one', async () => {
    const world = modelWorld();
    const service = world.serve({ wait: 0, reentrant: true });
    const run = service.withLock(['a', 'b'], '1s', async (outer) => {
      expect(await service.withLock('b', '1s', ({ token }) => Promise.resolve(token))).toBe(outer.token);
      expect(await service.withLock(['b', 'a'], '1s', ({ token }) => Promise.resolve(token))).toBe(outer.token);
      await expect(service.withLock(['a', 'c'], '1s', done)).rejects.toThrow(
        /^reentrant: the work that made this call holds "a", but not "c"/,
      );
      expect(await service.withLock('c', '1s', ({ token }) => Promise.resolve(token))).not.toBe(outer.token);
      return outer.isHeld();
    });
    expect((await world.clock.settle(run)).value).toBe(true);
  });

  it('nested under a lock that was lost, or released, takes one of its own', async () => {
    const world = modelWorld();
    const service = world.serve();
    const run = service.withLock('job', '1s', async (outer) => {
      await outer.release();
      return await service.withLock('job', '1s', (inner) => Promise.resolve(inner !== outer && inner.isHeld()));
    });
    expect((await world.clock.settle(run)).value).toBe(true);
    const late = service.withLock('job', '1s', async (outer) => {
      world.clock.stall(2000);
      const inner = await service.withLock('job', '1s', (lock) => Promise.resolve(lock));
      expect(inner).not.toBe(outer);
    });
    expect((await world.clock.settle(late)).error).toMatchObject({ code: 'LOCK_LOST', reason: 'expired' });
  });

  it('nested of another instance is another lock', async () => {
    const world = modelWorld();
    const [service, other] = [world.serve(), world.serve({ wait: 0 })];
    const run = service.withLock('job', '1s', () => other.withLock('job', '1s', done));
    expect((await world.clock.settle(run)).error).toMatchObject({ code: 'LOCK_CONTENDED' });
  });
});

describe('currentLock', () => {
  it('is the lock of the innermost work, also after a pause, and none outside', async () => {
    const world = modelWorld();
    const service = world.serve();
    const locks: (Lock | undefined)[] = [];
    const look = (): void => {
      locks.push(currentLock());
    };
    look();
    let outer: Lock | undefined, inner: Lock | undefined;
    const run = service.withLock('outer', '1s', async (lock) => {
      outer = lock;
      look();
      await service.withLock('inner', '1s', async (nested) => {
        inner = nested;
        await new Promise<void>((resolve) => world.clock.after(50, resolve));
        look();
      });
      look();
    });
    look();
    await world.clock.settle(run);
    look();
    expect(outer).toBeDefined();
    expect(inner).not.toBe(outer);
    expect(locks.map((lock) => [undefined, outer, inner].indexOf(lock))).toEqual([0, 0, 1, 2, 1, 0]);
  });

  it('is none in the context of acquire', async () => {
    const world = modelWorld();
    const lock = await lockOf(world, world.serve());
    expect(lock.isHeld()).toBe(true);
    expect(currentLock()).toBeUndefined();
  });
});

describe('inspect', () => {
  it('P7: says who holds a key, for how long, as each server sees it, in the order of the servers', async () => {
    const world = modelWorld(5);
    world.nodes.forEach((node, index) => {
      node.delayMs = 50 - 10 * index;
      const ttlMs = [900, 1000, 800][index];
      if (ttlMs !== undefined) node.plant(KEY, 'token', ttlMs, 'other-host:1', 7);
    });
    world.nodes[3]!.stall();
    const grant = { token: 'token', fencingToken: 7 };
    const { value } = await world.clock.settle(world.serve({ nodeTimeout: 60 }).inspect('job'));
    expect(value).toEqual({
      key: 'job',
      held: true,
      owner: 'other-host:1',
      remainingMs: 1000 - 20,
      fencingToken: 7,
      servers: [
        { server: 'node-1', state: 'held', owner: 'other-host:1', remainingMs: 900 - 25, ...grant },
        { server: 'node-2', state: 'held', owner: 'other-host:1', remainingMs: 1000 - 20, ...grant },
        { server: 'node-3', state: 'held', owner: 'other-host:1', remainingMs: 800 - 15, ...grant },
        { server: 'node-4', state: 'unknown', cause: 'no answer within 60 ms' },
        { server: 'node-5', state: 'free' },
      ],
    });
  });

  it('says that nobody holds what a minority carries', async () => {
    const world = modelWorld();
    world.nodes[0]!.plant(KEY, 'token', 900, 'other-host:1');
    world.nodes[1]!.plant(KEY, 'another', 900, 'third-host:1');
    const { value } = await world.clock.settle(world.serve().inspect('job'));
    expect(value).toMatchObject({ held: false, servers: [{ state: 'held' }, { state: 'held' }, { state: 'free' }] });
    expect(value).not.toHaveProperty('owner');
    expect(value).not.toHaveProperty('remainingMs');
  });

  it('changes nothing, and refuses a bad key', async () => {
    const world = modelWorld();
    const service = world.serve();
    const lock = await lockOf(world, service);
    await world.clock.settle(service.inspect('job'));
    expect(lock.isHeld()).toBe(true);
    expect(world.nodes[0]?.tokenAt(KEY)).toBe(lock.token);
    await expect(service.inspect('')).rejects.toThrow(/^key: /);
  });
});

describe('tryAcquire', () => {
  it('is null only when somebody else holds it: where nobody is known to, it says so', async () => {
    const world = modelWorld();
    // The acquire of a process that was killed has reached one server only. Another one is down.
    world.nodes[0]!.plant(KEY, 'dead', 30_000, 'dead:1', 1);
    world.nodes[1]!.disconnect();
    const service = world.serve();
    const { value, error } = await world.clock.settle(service.tryAcquire('job', '30s'));
    expect(value).toBeUndefined();
    expect(error).toMatchObject({ code: 'LOCK_CONTENDED', undecided: true });
  });
});

describe('forceRelease', () => {
  it('says whether anybody had it', async () => {
    const world = modelWorld();
    const service = world.serve();
    expect((await world.clock.settle(service.forceRelease('job'))).value).toBe(false);
    world.nodes[2]!.plant(KEY, 'other', 5000);
    expect((await world.clock.settle(service.forceRelease('job'))).value).toBe(true);
    for (const node of world.nodes) expect(node.keys).toEqual([]);
  });

  it('aborts the signal of a holder of this process at once, and of another one with its next extension', async () => {
    const world = modelWorld();
    const [service, other] = [world.serve(), world.serve()];
    const own = await lockOf(world, service, ['job', 'second'], '1m');
    await world.clock.settle(service.forceRelease('second'));
    expect(own.signal.reason).toMatchObject({ code: 'LOCK_LOST', reason: 'taken', keys: ['job', 'second'] });
    await world.clock.advance(0);
    const { value: theirs } = await world.clock.settle(other.acquire('job', '3s', { autoExtend: true }));
    await world.clock.settle(service.forceRelease('job'));
    expect(theirs?.signal.aborted).toBe(false);
    await world.clock.advance(1001);
    expect(theirs?.signal.reason).toMatchObject({ code: 'LOCK_LOST', reason: 'taken' });
  });

  it('P1: never takes the lock of the next holder, however late its command arrives', async () => {
    const world = modelWorld();
    const [service, operator] = [world.serve(), world.serve()];
    const first = await lockOf(world, service);
    for (const node of world.nodes) {
      const execute = node.execute.bind(node);
      node.execute = (...trip) => {
        const isRemoval = trip[0].some(({ kind }) => kind === 'remove');
        if (isRemoval) world.clock.after(60, () => execute(...trip));
        else execute(...trip);
      };
    }
    const forced = operator.forceRelease('job');
    await world.clock.advance(10);
    await world.clock.settle(first.release());
    const second = await lockOf(world, service);
    expect((await world.clock.settle(forced)).value).toBe(false);
    expect(world.nodes.map((node) => node.tokenAt(KEY))).toEqual(Array(3).fill(second.token));
    expect(second.isHeld()).toBe(true);
  });

  it('leaves locks on other keys alone', async () => {
    const world = modelWorld();
    const service = world.serve();
    const lock = await lockOf(world, service, 'other', '1m');
    await world.clock.settle(service.forceRelease('job'));
    expect(lock.isHeld()).toBe(true);
  });

  it('rejects when no majority answers, each with its reason', async () => {
    const world = modelWorld();
    world.nodes[0]!.disconnect();
    world.nodes[1]!.stall();
    const { error } = await world.clock.settle(world.serve().forceRelease('job'));
    expect(error).toMatchObject({ code: 'QUORUM_UNREACHABLE', keys: ['job'] });
    expect((error as Error).message).toMatch(
      /Could not release "job".*node-1: connect ECONNREFUSED.*node-2: no answer/,
    );
    await expect(world.serve().forceRelease('')).rejects.toThrow(/^key: /);
  });
});

describe('a lock', () => {
  it('has its keys as they were asked for, each once, and nobody can change them', async () => {
    const world = modelWorld();
    const lock = await lockOf(world, world.serve(), ['b', 'a', 'b']);
    expect(lock.keys).toEqual(['b', 'a']);
    expect(() => (lock.keys as string[]).push('c')).toThrow(TypeError);
  });

  it('has the token that is on the servers, another for each grant, and the fencing token that they count', async () => {
    const world = modelWorld();
    const service = world.serve();
    const first = await lockOf(world, service);
    expect(world.nodes.map((node) => node.tokenAt(KEY))).toEqual(Array(3).fill(first.token));
    expect(first.fencingToken).toBe(world.nodes[0]?.counterOf(`{${KEY}}:fence`));
    await world.clock.settle(first.release());
    const second = await lockOf(world, service);
    expect(second.token).not.toBe(first.token);
    expect(second.fencingToken).toBe(first.fencingToken + 1);
  });

  it('knows what remains of it: 0 once released, and once lost', async () => {
    const world = modelWorld();
    const service = world.serve();
    const lock = await lockOf(world, service);
    expect(lock.remaining).toBe(988);
    await world.clock.advance(400);
    expect(lock.remaining).toBe(588);
    await world.clock.settle(lock.release());
    expect(lock.remaining).toBe(0);
    const lost = await lockOf(world, service, 'job', '1m');
    await world.clock.settle(service.forceRelease('job'));
    expect(lost.remaining).toBe(0);
  });

  it('is held, and says so, until it is not', async () => {
    const world = modelWorld();
    const service = world.serve();
    const [released, lost] = [await lockOf(world, service, 'one'), await lockOf(world, service, 'two')];
    for (const lock of [released, lost]) {
      expect(lock.isHeld()).toBe(true);
      lock.assertHeld();
    }
    await world.clock.settle(released.release());
    await world.clock.advance(1000);
    for (const [lock, code] of [
      [released, 'LOCK_RELEASED'],
      [lost, 'LOCK_LOST'],
    ] as const) {
      expect(lock.isHeld()).toBe(false);
      expect(() => {
        lock.assertHeld();
      }).toThrow(expect.objectContaining({ code }));
      expect((await world.clock.settle(lock.extend())).error).toMatchObject({ code });
    }
    expect(released.signal.aborted).toBe(false);
    expect(lost.signal.reason).toMatchObject({ code: 'LOCK_LOST', reason: 'expired' });
    // Of a lock that was lost there is nothing to give back.
    expect((await world.clock.settle(lost.release())).error).toBeUndefined();
    expect((await world.clock.settle(released.release())).error).toMatchObject({ code: 'LOCK_RELEASED' });
  });

  it('extend: begins its ttl anew, or another one, which it has from then on', async () => {
    const world = modelWorld();
    const lock = await lockOf(world, world.serve());
    await world.clock.advance(500);
    await world.clock.settle(lock.extend());
    expect(lock.remaining).toBe(988);
    await world.clock.settle(lock.extend('1m'));
    expect(lock.remaining).toBe(60_000 - 602);
    expect(world.nodes[0]?.ttlOf(KEY)).toBe(60_000);
    await world.clock.advance(30_000);
    await world.clock.settle(lock.extend());
    expect(lock.remaining).toBe(60_000 - 602);
    expect((await world.clock.settle(lock.extend('soon'))).error).toMatchObject({ code: 'INVALID_OPTIONS' });
    expect(lock.isHeld()).toBe(true);
  });

  it('await using releases it, also when it was released before', async () => {
    const world = modelWorld();
    const lock = await lockOf(world, world.serve());
    expect(world.nodes[0]?.keys).toEqual([KEY]);
    expect((await world.clock.settle(Promise.resolve(lock[Symbol.asyncDispose]()))).error).toBeUndefined();
    for (const node of world.nodes) expect(node.keys).toEqual([]);
    expect(lock.isHeld()).toBe(false);
    expect((await world.clock.settle(Promise.resolve(lock[Symbol.asyncDispose]()))).error).toBeUndefined();
  });
});

describe('P15: shutdown', () => {
  it('ends what waits, and gives out no more', async () => {
    const world = modelWorld();
    plantAll(world);
    const service = world.serve();
    const waiting = world.clock.settle(service.acquire('job', '1m'));
    await service.beforeApplicationShutdown();
    await world.clock.settle(service.onApplicationShutdown());
    expect((await waiting).error).toMatchObject({ code: 'SHUTDOWN' });
    expect(service.isClosed).toBe(true);
    const { error } = await world.clock.settle(service.acquire('x', '1s'));
    expect(error).toMatchObject({ code: 'SHUTDOWN', keys: ['x'] });
    const skipped = await world.clock.settle(service.withLock('x', '1s', done, { onContended: 'skip' }));
    expect(skipped.value).toBeUndefined();
    expect(world.nodes[0]?.keys).toEqual([KEY]);
  });

  it('waits for work as long as shutdownTimeout, then aborts its signal and gives its lock back', async () => {
    const world = modelWorld();
    const service = world.serve({ shutdownTimeout: 40 });
    let lock: Lock | undefined;
    const run = service.withLock('job', '1m', async (held) => {
      lock = held;
      await new Promise((resolve) => {
        held.signal.addEventListener('abort', resolve);
      });
    });
    run.catch(() => undefined);
    await world.clock.advance(0);
    const { tookMs } = await world.clock.settle(service.beforeApplicationShutdown());
    expect(tookMs).toBe(40);
    expect(service.closing.aborted).toBe(true);
    expect(lock?.isHeld()).toBe(true);
    const end = await world.clock.settle(service.onApplicationShutdown());
    expect(end.tookMs).toBeLessThanOrEqual(10);
    expect(lock?.signal.aborted).toBe(true);
    await expect(run).rejects.toMatchObject({ code: 'LOCK_LOST', reason: 'shutdown' });
    for (const node of world.nodes) expect(node.keys).toEqual([]);
    expect(logger.problems).toEqual([
      expect.stringMatching(/^Shutdown has waited 40 ms .* the locks of 1 still running/),
    ]);
  });

  it('does not wait where no work is under way', async () => {
    const world = modelWorld();
    const service = world.serve();
    const lock = await lockOf(world, service, 'job', '1m');
    await service.beforeApplicationShutdown();
    const { tookMs } = await world.clock.settle(service.onApplicationShutdown());
    expect(tookMs).toBe(0);
    expect(lock.signal.reason).toMatchObject({ code: 'LOCK_LOST', reason: 'shutdown' });
    for (const node of world.nodes) expect(node.keys).toEqual([]);
  });
});
