import { describe, expect, it } from '@jest/globals';
import { LockLostError, LockReleasedError, QuorumUnreachableError } from '../../../lib/core/errors/index.js';
import { runWithLock } from '../../../lib/core/run-with-lock.js';
import type { HoldOptions } from '../../../lib/core/hold-options.js';
import { LockHandle } from '../../../lib/core/lock.js';
import type { ModelNode } from '../../support/model-node.js';
import { acquire, keepFor, modelNodes, planFor, quorumOver } from '../../support/model-quorum.js';
import { VirtualClock } from '../../support/virtual-clock.js';

interface World {
  readonly clock: VirtualClock;
  readonly nodes: ModelNode[];
  readonly lock: LockHandle;
}

/** A lock on "job" with a ttl of a second: it may be trusted for 988 ms. */
async function held(servers = 3, keep: Partial<HoldOptions> = {}): Promise<World> {
  const clock = new VirtualClock();
  const nodes = modelNodes(servers, clock);
  const quorum = quorumOver(nodes, clock);
  const plan = planFor();
  const { value } = await clock.settle(acquire(quorum, plan));
  if (value === undefined) throw new Error('The lock was not granted.');
  await clock.advance(0);
  return { clock, nodes, lock: new LockHandle(quorum, plan, value, keepFor(keep)) };
}

describe('a held lock', () => {
  it('P6: can be trusted until its validity ends, and aborts its signal before', async () => {
    const { clock, lock } = await held();
    expect(lock.remaining).toBe(988);
    await clock.advance(986);
    expect(lock.isHeld()).toBe(true);
    expect(lock.signal.aborted).toBe(false);
    await clock.advance(2);
    expect(lock.signal.aborted).toBe(true);
    expect(lock.signal.reason).toBeInstanceOf(LockLostError);
    expect(lock.remaining).toBe(0);
    expect(() => {
      lock.assertHeld();
    }).toThrow(LockLostError);
  });

  it('P6: knows after a stall of the event loop that it is lost, before any timer has run', async () => {
    const { clock, lock } = await held();
    clock.stall(2000);
    expect(lock.isHeld()).toBe(false);
    expect(lock.signal.aborted).toBe(true);
  });

  it('P11: leaves nothing behind when it is released, and is not lost by that', async () => {
    const { clock, nodes, lock } = await held();
    await clock.settle(lock.release());
    for (const node of nodes) expect(node.keys).toEqual([]);
    expect(lock.signal.aborted).toBe(false);
    expect(lock.isHeld()).toBe(false);
    expect(clock.pending).toBe(0);
  });

  it('rejects every verb after its release', async () => {
    const { clock, lock } = await held();
    await clock.settle(lock.release());
    expect((await clock.settle(lock.release())).error).toBeInstanceOf(LockReleasedError);
    expect((await clock.settle(lock.extend())).error).toBeInstanceOf(LockReleasedError);
    expect(() => {
      lock.assertHeld();
    }).toThrow(LockReleasedError);
    expect((await clock.settle(lock[Symbol.asyncDispose]())).error).toBeUndefined();
  });

  it.each([100, 1000])('tells that it is over, so that nobody keeps it: after %i ms', async (afterMs) => {
    let ends = 0;
    const { clock, lock } = await held(3, { onEnd: () => ends++ });
    await clock.advance(afterMs);
    expect(ends).toBe(lock.isHeld() ? 0 : 1);
    await clock.settle(lock.isHeld() ? lock.release() : lock.lose('shutdown'));
    expect(ends).toBe(1);
  });

  it('P4, P11: a stalled minority does not delay the release, and is told when it answers again', async () => {
    const { clock, nodes, lock } = await held(5);
    nodes[0]?.stall();
    nodes[1]?.stall();
    const { error, tookMs } = await clock.settle(lock.release());
    expect({ error, tookMs }).toEqual({ error: undefined, tookMs: 0 });
    await clock.advance(200);
    nodes[0]?.resume();
    nodes[1]?.resume();
    await clock.advance(0);
    for (const node of nodes) expect(node.keys).toEqual([]);
  });

  it('P5: a release without a majority rejects within one node timeout, with the reasons', async () => {
    const { clock, nodes, lock } = await held(3);
    nodes[0]?.stall();
    nodes[1]?.disconnect();
    const { error, tookMs } = await clock.settle(lock.release());
    expect(error).toBeInstanceOf(QuorumUnreachableError);
    expect((error as Error).message).toContain('Could not release "job"');
    expect(tookMs).toBe(100);
  });

  it('P10: a release rejects with the loss when a majority says that the lock was gone, and the signal says so, too', async () => {
    const { clock, nodes, lock } = await held(5);
    for (const node of nodes.slice(0, 3)) node.plant('job', 'other', 5000);
    const { error } = await clock.settle(lock.release());
    expect(error).toMatchObject({ code: 'LOCK_LOST', reason: 'taken' });
    expect(lock.signal.reason).toBe(error);
    await clock.advance(10);
    expect(nodes.map((node) => node.tokenAt('job'))).toEqual(['other', 'other', 'other', undefined, undefined]);
  });

  it('P10: a minority that has forgotten the lock is no loss, whichever answers first', async () => {
    for (const quick of [0, 1, 2]) {
      const { clock, nodes, lock } = await held(3);
      nodes[quick]!.flush();
      nodes.forEach((node, index) => (node.delayMs = index === quick ? 1 : 10));
      expect((await clock.settle(lock.release())).error).toBeUndefined();
    }
  });

  it('P10: a release that comes to the servers after the end of the ttl proves nothing', async () => {
    const { clock, nodes, lock } = await held(3);
    for (const node of nodes) node.delayMs = 60;
    await clock.advance(985);
    expect(lock.isHeld()).toBe(true);
    expect((await clock.settle(lock.release())).error).toBeUndefined();
  });

  it('P10: a release that is delivered again proves nothing', async () => {
    const { clock, nodes, lock } = await held(3);
    nodes[0]!.stall();
    nodes[1]!.stall();
    const released = lock.release();
    await clock.advance(10);
    // Carried out, and the answer is lost: what is sent again finds nothing.
    for (const node of nodes.slice(0, 2)) node.disconnect();
    for (const node of nodes.slice(0, 2)) node.connect();
    for (const node of nodes.slice(0, 2)) node.resume();
    expect((await clock.settle(released)).error).toMatchObject({ code: 'QUORUM_UNREACHABLE' });
    expect(lock.signal.aborted).toBe(false);
  });

  it('releases that are asked for at once are one', async () => {
    const { clock, nodes, lock } = await held(3);
    for (const node of nodes) node.delayMs = 10;
    const all = Promise.all([lock.release(), lock.release(), lock[Symbol.asyncDispose]()]);
    expect((await clock.settle(all)).error).toBeUndefined();
    expect(nodes[0]!.arrived.filter(({ kind }) => kind === 'release')).toHaveLength(1);
    expect((await clock.settle(lock.release())).error).toBeInstanceOf(LockReleasedError);
  });

  it('minHold: a release leaves the key for the rest of it', async () => {
    const { clock, nodes, lock } = await held(3, { minHoldMs: 5000 });
    await clock.advance(100);
    await clock.settle(lock.release());
    expect(nodes[0]?.ttlOf('job')).toBe(4900);
    await clock.advance(4900);
    expect(nodes[0]?.keys).toEqual([]);
  });
});

it('minHold: is not longer because a server hears late of the release', async () => {
  const { clock, nodes, lock } = await held(3, { minHoldMs: 40_000 });
  await clock.settle(lock.extend(60_000));
  nodes[0]?.stall();
  await clock.settle(lock.release());
  await clock.advance(39_000);
  nodes[0]?.resume();
  await clock.advance(2000);
  for (const node of nodes.slice(1)) expect(node.keys).toEqual([]);
});

describe('extend', () => {
  it('P6: begins the ttl anew from before it was sent', async () => {
    const { clock, nodes, lock } = await held();
    for (const node of nodes) node.delayMs = 40;
    await clock.advance(500);
    await clock.settle(lock.extend());
    expect(lock.remaining).toBe(988 - 40);
    await clock.advance(900);
    expect(lock.isHeld()).toBe(true);
  });

  it('takes another ttl, longer or shorter', async () => {
    const { clock, lock } = await held();
    await clock.settle(lock.extend(10_000));
    expect(lock.remaining).toBe(10_000 - 102);
    await clock.settle(lock.extend(200));
    expect(lock.remaining).toBe(200 - 4);
    await clock.advance(200);
    expect(lock.signal.aborted).toBe(true);
  });

  it('P6: a shorter ttl binds even when no majority has confirmed it', async () => {
    const { clock, nodes, lock } = await held();
    for (const node of nodes) node.stall();
    const { error } = await clock.settle(lock.extend(200));
    expect(error).toBeInstanceOf(QuorumUnreachableError);
    expect(lock.remaining).toBe(200 - 4 - 50);
  });

  it('P5: without a majority rejects within one node timeout, and the old validity goes on', async () => {
    const { clock, nodes, lock } = await held();
    nodes[0]?.disconnect();
    nodes[1]?.stall();
    const { error, tookMs } = await clock.settle(lock.extend());
    expect(error).toBeInstanceOf(QuorumUnreachableError);
    expect(tookMs).toBe(100);
    expect(lock.isHeld()).toBe(true);
    nodes[1]?.resume();
    expect((await clock.settle(lock.extend())).error).toBeUndefined();
    expect(lock.remaining).toBe(988);
  });

  it('P6: of two under way at once, neither makes the validity longer than the servers keep the lock', async () => {
    const { clock, nodes, lock } = await held();
    for (const node of nodes) node.delayMs = 20;
    const first = clock.settle(lock.extend(60_000));
    const second = clock.settle(lock.extend(300));
    await Promise.all([first, second]);
    expect(lock.remaining).toBeLessThanOrEqual(nodes[0]!.ttlOf('job'));
    const third = clock.settle(lock.extend(100));
    const fourth = clock.settle(lock.extend(60_000));
    await Promise.all([third, fourth]);
    expect(lock.remaining).toBe(60_000 - 602 - 20);
  });

  it('P12: is lost when a majority has forgotten the lock, although it has put it back there', async () => {
    const { clock, nodes, lock } = await held();
    nodes[0]?.flush();
    nodes[1]?.flush();
    const { error } = await clock.settle(lock.extend());
    expect(error).toBeInstanceOf(LockLostError);
    expect(lock.signal.reason).toMatchObject({ code: 'LOCK_LOST', reason: 'taken' });
    await clock.advance(0);
    for (const node of nodes) expect(node.keys).toEqual([]);
  });

  it('P12: is lost when a majority has forgotten the lock, also while another server is down', async () => {
    const { clock, nodes, lock } = await held();
    nodes[0]?.disconnect();
    nodes[1]?.flush();
    nodes[2]?.flush();
    const { error } = await clock.settle(lock.extend());
    expect(error).toBeInstanceOf(LockLostError);
  });

  it('P12: puts the lock back where it was forgotten, and counts that server from the next time on', async () => {
    const { clock, nodes, lock } = await held();
    nodes[0]?.flush();
    await clock.settle(lock.extend());
    await clock.advance(0);
    expect(nodes[0]?.tokenAt('job')).toBe(lock.token);
    nodes[1]?.flush();
    await clock.settle(lock.extend());
    expect(lock.isHeld()).toBe(true);
  });

  it('P1: does not take the lock away from somebody else', async () => {
    const { clock, nodes, lock } = await held();
    nodes[0]?.plant('job', 'other', 5000);
    await clock.settle(lock.extend());
    expect(nodes[0]?.tokenAt('job')).toBe('other');
    expect(lock.isHeld()).toBe(true);
    nodes[1]?.plant('job', 'other', 5000);
    expect((await clock.settle(lock.extend())).error).toBeInstanceOf(LockLostError);
  });

  it('P11: does not extend what is released while it is under way', async () => {
    const { clock, nodes, lock } = await held();
    for (const node of nodes) node.delayMs = 20;
    const extended = clock.settle(lock.extend());
    const released = clock.settle(lock.release());
    expect((await extended).error).toBeInstanceOf(LockReleasedError);
    expect((await released).error).toBeUndefined();
    await clock.advance(50);
    for (const node of nodes) expect(node.keys).toEqual([]);
  });
});

describe('automatic extension', () => {
  it('keeps the lock for as long as it is held, and stops with the release', async () => {
    const { clock, nodes, lock } = await held(3, { autoExtend: true });
    for (const node of nodes) node.delayMs = 10;
    await clock.advance(60_000);
    expect(lock.isHeld()).toBe(true);
    const { trips } = nodes[0]!;
    expect(trips).toBeLessThan(200);
    await clock.settle(lock.release());
    await clock.advance(10_000);
    expect(nodes[0]?.trips).toBe(trips + 1);
    expect(clock.pending).toBe(0);
  });

  it('gets over a time without answers that is shorter than the validity', async () => {
    const { clock, nodes, lock } = await held(3, { autoExtend: true });
    for (const node of nodes) node.stall();
    await clock.advance(800);
    for (const node of nodes) node.resume();
    await clock.advance(5000);
    expect(lock.isHeld()).toBe(true);
  });

  it('P6: aborts in time when all servers are silent', async () => {
    const { clock, nodes, lock } = await held(5, { autoExtend: true });
    const startMs = clock.nowMs();
    let abortedAtMs = Infinity;
    lock.signal.addEventListener('abort', () => (abortedAtMs = clock.nowMs()));
    for (const node of nodes) node.stall();
    await clock.advance(2000);
    expect(abortedAtMs - startMs).toBeLessThanOrEqual(988);
    expect(lock.signal.reason).toMatchObject({ reason: 'expired' });
  });

  it('aborts with the next extension when the lock was stolen', async () => {
    const { clock, nodes, lock } = await held(3, { autoExtend: true });
    for (const node of nodes) node.flush();
    await clock.advance(334);
    expect(lock.signal.reason).toMatchObject({ code: 'LOCK_LOST', reason: 'taken' });
    await clock.advance(2000);
    for (const node of nodes) expect(node.keys).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  it('P6: a lock that is lost because every extension was refused says why', async () => {
    const { clock, nodes, lock } = await held(3, { autoExtend: true });
    for (const node of nodes) node.refusal = new Error('NOPERM no permissions');
    await clock.advance(1000);
    const reason = lock.signal.reason as LockLostError;
    expect(reason.message).toMatch(/expired.*node-1: NOPERM no permissions/);
    expect(reason.votes).toHaveLength(3);
  });

  it('follows a ttl that was made shorter by hand', async () => {
    const { clock, lock } = await held(3, { autoExtend: true });
    await clock.settle(lock.extend(100_000));
    await clock.settle(lock.extend(200));
    await clock.advance(10_000);
    expect(lock.isHeld()).toBe(true);
  });

  it('maxHold: stops there, and aborts', async () => {
    const { clock, nodes, lock } = await held(3, { autoExtend: true, maxHoldMs: 2500 });
    await clock.advance(2400);
    expect(lock.isHeld()).toBe(true);
    await clock.advance(100);
    expect(lock.signal.reason).toMatchObject({ code: 'LOCK_LOST' });
    await clock.advance(10);
    for (const node of nodes) expect(node.keys).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  it('maxHold: binds also when it is shorter than the ttl', async () => {
    const { clock, lock } = await held(3, { maxHoldMs: 300 });
    await clock.advance(300);
    expect(lock.signal.aborted).toBe(true);
  });

  it('P6: maxHold begins when the lock is handed out: one that the servers were slow to grant is not over at once', async () => {
    const clock = new VirtualClock();
    const nodes = modelNodes(3, clock);
    const quorum = quorumOver(nodes, clock);
    for (const node of nodes) node.delayMs = 80;
    const grant = (await clock.settle(acquire(quorum, planFor()))).value!;
    const lock = new LockHandle(quorum, planFor(), grant, keepFor({ maxHoldMs: 50 }));
    expect(lock.remaining).toBe(50);
    await clock.advance(50);
    expect(lock.signal.aborted).toBe(true);
  });

  it('P12: puts the lock back only when a majority has renewed it: what was removed everywhere stays removed', async () => {
    const { clock, nodes, lock } = await held(3, { autoExtend: true });
    for (const node of nodes) node.flush();
    nodes[1]!.stall();
    nodes[2]!.stall();
    // One says that it is gone, and the others carry the question out when nobody waits any more.
    await clock.advance(450);
    expect(lock.isHeld()).toBe(true);
    nodes[1]!.resume();
    nodes[2]!.resume();
    await clock.advance(400);
    expect(lock.signal.reason).toMatchObject({ code: 'LOCK_LOST', reason: 'taken' });
    for (const node of nodes) expect(node.keys).toEqual([]);
  });

  it('P12: heals also where the answer came after the others had decided', async () => {
    const { clock, nodes, lock } = await held(3);
    nodes[2]!.flush();
    nodes[2]!.delayMs = 60;
    await clock.settle(lock.extend());
    expect(nodes[2]!.tokenAt('job')).toBeUndefined();
    await clock.advance(200);
    expect(nodes[2]!.tokenAt('job')).toBe(lock.token);
    nodes[2]!.flush();
    await clock.settle(lock.extend());
    await clock.settle(lock.release());
    await clock.advance(200);
    expect(nodes[2]!.keys).toEqual([]);
  });

  it('P12: heals a rolling restart without data, one server at a time', async () => {
    const { clock, nodes, lock } = await held(5, { autoExtend: true });
    for (const node of nodes) {
      node.flush();
      await clock.advance(700);
    }
    expect(lock.isHeld()).toBe(true);
    for (const node of nodes) expect(node.tokenAt('job')).toBe(lock.token);
  });
});

describe('hold', () => {
  const boom = new TypeError('the work went wrong');

  function run<T>(
    { clock, lock }: World,
    work: () => Promise<T>,
  ): Promise<{ value?: T; error?: unknown; failed: unknown[] }> {
    const failed: unknown[] = [];
    return clock
      .settle(runWithLock(lock, work, (_, error) => failed.push(error)))
      .then((result) => ({ ...result, failed }));
  }

  it('gives the result of the work and releases the lock', async () => {
    const world = await held();
    expect(await run(world, () => Promise.resolve(42))).toMatchObject({ value: 42, failed: [] });
    for (const node of world.nodes) expect(node.keys).toEqual([]);
  });

  it("P10: the work's own error wins, and is the very same", async () => {
    const world = await held();
    for (const node of world.nodes) node.disconnect();
    const { error, failed } = await run(world, () => Promise.reject(boom));
    expect(error).toBe(boom);
    expect(failed).toMatchObject([{ code: 'QUORUM_UNREACHABLE' }]);
  });

  it('P10: work that ended well rejects with the loss when the release shows that another process had the lock', async () => {
    const world = await held();
    const { error, failed } = await run(world, () => {
      for (const node of world.nodes) node.flush();
      return Promise.resolve('its result');
    });
    expect(error).toMatchObject({ code: 'LOCK_LOST', reason: 'taken' });
    expect(failed).toEqual([]);
  });

  it('takes work that gives no promise', async () => {
    const world = await held();
    expect(await run(world, () => 5 as unknown as Promise<number>)).toMatchObject({ value: 5, failed: [] });
    for (const node of world.nodes) expect(node.keys).toEqual([]);
  });

  it('P10: a release that fails is reported, and the result stays', async () => {
    const world = await held();
    for (const node of world.nodes) node.stall();
    const { value, failed } = await run(world, () => Promise.resolve('done'));
    expect(value).toBe('done');
    expect(failed).toMatchObject([{ code: 'QUORUM_UNREACHABLE' }]);
  });

  it('P10: work that ends well after its lock was lost rejects with the loss', async () => {
    const world = await held();
    const { error } = await run(world, async () => {
      await new Promise<void>((resolve) => world.clock.after(3000, resolve));
    });
    expect(error).toBeInstanceOf(LockLostError);
  });

  it.each([
    ['lost', 'ended well, and not that it failed', () => Promise.resolve()],
    ['failed', 'failed itself', () => Promise.reject(boom)],
  ])('P20: says "%s" in the register of work under a lock in doubt that %s', async (outcome, _, work) => {
    const ends: unknown[] = [];
    let isHeld = true;
    const inDoubt = new LockLostError(['job'], 'suspended', []);
    const lock = {
      isHeld: () => isHeld,
      ensureNotLost: () => Promise.reject(inDoubt),
      run: { end: (how: unknown) => ends.push(how) },
      onWorkFailed: () => ends.push('failed'),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    } as unknown as LockHandle;
    const running = runWithLock(
      lock,
      () => {
        isHeld = false;
        return work();
      },
      () => undefined,
    );
    await expect(running).rejects.toBe(outcome === 'lost' ? inDoubt : boom);
    expect(ends).toEqual([outcome]);
  });

  it('P10: notices a loss that no timer has had the time to notice', async () => {
    const world = await held();
    const { error } = await run(world, () => {
      world.clock.stall(3000);
      return Promise.resolve();
    });
    expect(error).toBeInstanceOf(LockLostError);
  });

  it("P10: the work's error wins over the loss, too", async () => {
    const world = await held();
    const { error } = await run(world, () => {
      world.clock.stall(3000);
      return Promise.reject(boom);
    });
    expect(error).toBe(boom);
  });

  it('P6: does not start the work when the lock was lost before', async () => {
    const world = await held();
    world.clock.stall(3000);
    let started = false;
    const { error } = await run(world, () => {
      started = true;
      return Promise.resolve();
    });
    expect(error).toBeInstanceOf(LockLostError);
    expect(started).toBe(false);
  });

  it('lets the work release the lock itself', async () => {
    const world = await held();
    const { value, failed } = await run(world, async () => {
      await world.lock.release();
      return 'early';
    });
    expect({ value, failed }).toEqual({ value: 'early', failed: [] });
  });

  it('passes a synchronous throw on and releases the lock', async () => {
    const world = await held();
    const { error } = await run(world, () => {
      throw boom;
    });
    expect(error).toBe(boom);
    for (const node of world.nodes) expect(node.keys).toEqual([]);
  });
});
