import { describe, expect, it } from '@jest/globals';
import { LockHandle } from '../../../lib/core/lock.js';
import type { HoldOptions } from '../../../lib/core/hold-options.js';
import type { ModelNode } from '../../support/model-node.js';
import { acquire, keepFor, modelNodes, planFor, quorumOver } from '../../support/model-quorum.js';
import { modelWorld } from '../../support/model-service.js';
import { VirtualClock } from '../../support/virtual-clock.js';

interface World {
  readonly clock: VirtualClock;
  readonly nodes: ModelNode[];
  readonly lock: LockHandle;
}

/** A lock on "job" with a ttl of ten seconds, and servers that are 10 ms away. */
async function held(keep: Partial<HoldOptions> = {}): Promise<World> {
  const clock = new VirtualClock();
  const nodes = modelNodes(3, clock);
  const quorum = quorumOver(nodes, clock);
  const plan = planFor({ ttlMs: 10_000 });
  const { value } = await clock.settle(acquire(quorum, plan));
  for (const node of nodes) node.delayMs = 10;
  return { clock, nodes, lock: new LockHandle(quorum, plan, value!, keepFor(keep)) };
}

/** What was locked is gone, as after a suspension beyond its ttl, and another process has it. */
function taken(nodes: readonly ModelNode[]): void {
  for (const node of nodes) node.plant('job', 'other', 60_000);
}

describe('P19: a suspension that the monotonic clock does not count', () => {
  it('nothing says held before the servers have said so, and then it is held again', async () => {
    const { clock, nodes, lock } = await held();
    clock.suspend(4000);
    expect([lock.isHeld(), lock.remaining, lock.signal.aborted]).toEqual([false, 0, false]);
    expect(() => {
      lock.assertHeld();
    }).toThrow(expect.objectContaining({ code: 'LOCK_LOST', reason: 'suspended' }));
    await clock.advance(11);
    expect([lock.isHeld(), lock.signal.aborted]).toEqual([true, false]);
    expect(nodes[0]!.arrived.filter(({ kind }) => kind === 'extend')).toEqual([]);
  });

  it('the lock is lost when another process has it, and its signal aborts', async () => {
    const { clock, nodes, lock } = await held();
    clock.suspend(20_000);
    taken(nodes);
    expect(lock.isHeld()).toBe(false);
    await clock.advance(11);
    expect(lock.signal.reason).toMatchObject({ code: 'LOCK_LOST', reason: 'taken' });
    expect(nodes[0]!.tokenAt('job')).toBe('other');
  });

  it('counts what the servers say is left, and prolongs nothing', async () => {
    const { clock, nodes, lock } = await held();
    clock.suspend(6000);
    for (const node of nodes) node.plant('job', lock.token, 4000, 'me', lock.fencingToken); // Time has passed there.
    lock.isHeld();
    await clock.advance(11);
    expect(lock.remaining).toBeLessThanOrEqual(nodes[0]!.ttlOf('job'));
    expect(lock.remaining).toBeGreaterThan(3900);
    await clock.advance(4000);
    expect(lock.signal.reason).toMatchObject({ reason: 'expired' });
  });

  it('extends at once what is extended automatically', async () => {
    const { clock, nodes, lock } = await held({ autoExtend: true });
    clock.suspend(6000);
    for (const node of nodes) node.plant('job', lock.token, 4000, 'me', lock.fencingToken);
    lock.isHeld();
    await clock.advance(30);
    expect(lock.remaining).toBeGreaterThan(9800);
  });

  it('asks again while no majority answers, and says why when its time is over', async () => {
    const { clock, nodes, lock } = await held();
    for (const node of nodes.slice(1)) node.disconnect();
    clock.suspend(1000);
    expect(lock.isHeld()).toBe(false);
    await clock.advance(500);
    expect([lock.isHeld(), lock.signal.aborted]).toEqual([false, false]);
    nodes[1]!.connect();
    await clock.advance(9000);
    expect(lock.isHeld()).toBe(true);
    nodes[1]!.disconnect();
    clock.suspend(1000);
    await clock.advance(1000);
    expect(lock.signal.reason).toMatchObject({ reason: 'expired', message: expect.stringContaining('ECONNREFUSED') });
  });

  it('an extension by hand confirms it, too', async () => {
    const { clock, lock } = await held();
    clock.suspend(4000);
    expect((await clock.settle(lock.extend())).error).toBeUndefined();
    expect(lock.isHeld()).toBe(true);
  });

  it.each([500, -500, 3_600_000, -3_600_000])('a step of the wall clock alone, by %i ms, loses no lock', async (ms) => {
    const { clock, lock } = await held({ autoExtend: true });
    clock.suspend(ms);
    await clock.advance(60_000);
    expect([lock.isHeld(), lock.signal.aborted]).toEqual([true, false]);
  });

  it('a wall clock that was set back before hides no suspension', async () => {
    const { clock, nodes, lock } = await held();
    clock.suspend(-60_000);
    expect(lock.isHeld()).toBe(true);
    clock.suspend(20_000);
    taken(nodes);
    expect(lock.isHeld()).toBe(false);
  });

  it('a clock that is slewed, and one that has milliseconds only, are no suspension', async () => {
    const { clock, nodes, lock } = await held();
    for (let second = 0; second < 9; second++) {
      await clock.advance(1000);
      clock.suspend(2);
      expect(lock.isHeld()).toBe(true);
    }
    expect(nodes[0]!.arrived).toHaveLength(1);
  });

  it('counts one that is too short to ask the servers', async () => {
    const { clock, nodes, lock } = await held();
    const leftMs = lock.remaining;
    clock.suspend(15);
    expect(lock.remaining).toBeCloseTo(leftMs - 15, 0);
    await clock.advance(leftMs - 18);
    expect([lock.isHeld(), lock.signal.aborted]).toEqual([true, false]);
    await clock.advance(3);
    expect([lock.isHeld(), lock.signal.aborted]).toEqual([false, true]);
    expect(nodes[0]!.arrived.filter(({ kind }) => kind === 'confirm')).toEqual([]);
  });

  it('hands nothing out that is over because of one that is too short to be seen', async () => {
    const clock = new VirtualClock();
    const nodes = modelNodes(3, clock);
    for (const node of nodes) node.delayMs = 4;
    const asked = acquire(quorumOver(nodes, clock), planFor({ ttlMs: 20 }));
    await clock.advance(3);
    clock.suspend(15);
    const suspendedAtMs = clock.nowMs();
    await clock.advance(2);
    const { value } = await clock.settle(asked);
    expect(nodes[0]!.arrived.map(({ kind }) => kind)).toEqual(['acquire', 'release', 'acquire']);
    expect(value!.grantedAtMs).toBeGreaterThan(suspendedAtMs);
  });

  it('hands nothing out that was granted before it', async () => {
    const clock = new VirtualClock();
    const nodes = modelNodes(3, clock);
    for (const node of nodes) node.delayMs = 10;
    const asked = acquire(quorumOver(nodes, clock), planFor({ ttlMs: 10_000, waitMs: 5000 }));
    await clock.advance(5);
    clock.suspend(20_000);
    expect((await clock.settle(asked)).value).toBeDefined();
    // The first grant was undone, and the servers were asked once more.
    expect(nodes[0]!.arrived.map(({ kind }) => kind)).toEqual(['acquire', 'release', 'acquire']);
  });

  it('P7: asks once more where that may have been one, also with a wait of 0', async () => {
    const clock = new VirtualClock();
    const nodes = modelNodes(3, clock);
    for (const node of nodes) node.delayMs = 10;
    const asked = acquire(quorumOver(nodes, clock), planFor({ ttlMs: 10_000 }));
    await clock.advance(5);
    clock.suspend(50);
    expect((await clock.settle(asked)).value).toBeDefined();
    expect(nodes[0]!.arrived.map(({ kind }) => kind)).toEqual(['acquire', 'release', 'acquire']);
  });

  it('work does not begin before it is confirmed, and its result counts only if it is', async () => {
    const world = modelWorld();
    const service = world.serve();
    const late = await world.clock.settle(
      service.withLock('job', '30s', async () => {
        world.clock.suspend(60_000);
        for (const node of world.nodes) node.plant('redlock:job', 'other', 60_000);
        return Promise.resolve('done');
      }),
    );
    expect(late.error).toMatchObject({ code: 'LOCK_LOST' });
    const well = await world.clock.settle(
      service.withLock('else', '30s', async () => {
        world.clock.suspend(20_000);
        return Promise.resolve('done');
      }),
    );
    expect(well.value).toBe('done');
  });

  it('work that asks for nothing hears of it within a second, and a module without locks has no timer', async () => {
    const world = modelWorld();
    const service = world.serve();
    const lock = (await world.clock.settle(service.acquire('job', '30s'))).value!;
    world.clock.suspend(60_000);
    for (const node of world.nodes) node.plant('redlock:job', 'other', 60_000);
    await world.clock.advance(1001);
    expect(lock.signal.reason).toMatchObject({ code: 'LOCK_LOST', reason: 'taken' });
    await world.clock.advance(1000); // The last look finds no lock.
    expect(world.clock.pending).toBe(0);
  });
});
