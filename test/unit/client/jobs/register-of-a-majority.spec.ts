import { describe, expect, it } from '@jest/globals';
import type { RedlockService, WithLockCallOptions } from 'redlock-nestjs';
import { calledBy } from '../../../../lib/client/options/acquire-options.js';
import type { RunTrigger } from '../../../../lib/core/ports/job-note.js';
import type { NodeRequest } from '../../../../lib/core/ports/lock-node.js';
import type { ModelNode } from '../../../support/model-node.js';
import { modelWorld, type ModelWorld } from '../../../support/model-service.js';

const PLACE = { keys: 'report' };

function run(
  service: RedlockService,
  work: () => Promise<unknown> = () => Promise.resolve(),
  { trigger = 'manual', ...options }: { trigger?: RunTrigger } & WithLockCallOptions = {},
): Promise<unknown> {
  const caller = { method: 'Jobs.report', job: 'report', trigger };
  return service.withLock('report', '1s', work, calledBy(caller, { wait: 0, ...options }));
}

async function settle<T>({ clock }: ModelWorld, promise: Promise<T>): Promise<T> {
  const { value, error } = await clock.settle(promise);
  if (error !== undefined) throw error as Error;
  return value as T;
}

/** No request of this process reaches the node any more, or none of this kind. */
function cutOff(node: ModelNode | undefined, owner: string, kind?: NodeRequest['kind']): void {
  if (node === undefined) return;
  const execute = node.execute.bind(node);
  node.execute = (requests, onReplies, onError) => {
    if (requests[0]?.owner === owner && (kind ?? requests[0].kind) === requests[0].kind) onError(new Error('cut off'));
    else execute(requests, onReplies, onError);
  };
}

describe('P20: what a call on a job has confirmed', () => {
  it('an end that was confirmed is on a majority, also where a server had not granted the lock', async () => {
    const world = modelWorld();
    const [one, two, three] = world.nodes;
    const service = world.serve({ owner: 'one' });
    three?.disconnect();
    const work = (): Promise<void> => {
      three?.connect();
      cutOff(two, 'one');
      return Promise.resolve();
    };
    await settle(world, run(service, work));
    // The only server that had granted and heard of the end is away now.
    one?.disconnect();
    await world.clock.advance(2000);
    const { runs } = await settle(world, world.serve().client.jobs.read(PLACE));
    expect(runs.map(({ outcome }) => outcome)).toEqual(['succeeded']);
  });

  it('a server that never had the lock does not make it a lock that was lost', async () => {
    const world = modelWorld();
    const [one, , three] = world.nodes;
    three?.disconnect();
    const work = (): Promise<void> => {
      three?.connect();
      one?.flush();
      return Promise.resolve();
    };
    await settle(world, run(world.serve(), work));
  });

  it.each(['pause', 'resume'] as const)('a change that failed does not come back after a later %s', async (what) => {
    const world = modelWorld();
    const [one, two, three] = world.nodes;
    // Of two changes that know the same, chance would let the first one win.
    const [first, second] = [world.serve({ owner: 'first' }, () => 0.9), world.serve({ owner: 'second' }, () => 0.1)];
    if (what === 'pause') await settle(world, second.client.jobs.pause(PLACE));
    await world.clock.advance(10);
    // It reads, and its change reaches the third server only.
    const failed = first.client.jobs[what === 'pause' ? 'resume' : 'pause'](PLACE);
    cutOff(one, 'first', 'steer');
    cutOff(two, 'first', 'steer');
    expect((await world.clock.settle(failed)).error).toMatchObject({ code: 'QUORUM_UNREACHABLE' });
    three?.disconnect();
    await world.clock.advance(10);
    await settle(world, second.client.jobs[what](PLACE));
    three?.connect();
    // The first one brings what the third server knows to the others, if that is newer.
    await world.clock.settle(run(world.serve()));
    await world.clock.advance(10);
    const { error } = await world.clock.settle(run(world.serve()));
    expect(error).toEqual(what === 'pause' ? expect.objectContaining({ reason: 'paused' }) : undefined);
  });

  it('a pause that one server has not forgotten is not the reason where the others deny for another one', async () => {
    const world = modelWorld(5);
    const [one] = world.nodes;
    const service = world.serve();
    const tick = { atMs: Date.UTC(2026, 10, 28, 2), periodMs: 60_000 };
    await settle(world, run(service, undefined, { trigger: 'schedule', tick }));
    await settle(world, service.client.jobs.pause(PLACE));
    one?.disconnect();
    await settle(world, service.client.jobs.resume(PLACE));
    one?.connect();
    for (const node of world.nodes.slice(3)) node.disconnect();
    // One server takes it for paused. Two know that its tick has run, which is no majority.
    const { error } = await world.clock.settle(run(world.serve(), undefined, { trigger: 'catch-up', tick }));
    expect(error).toMatchObject({ reason: 'undecided' });
  });

  it.each(['catch-up', 'again'] as const)('replicas that begin a run at once (%s) see one another', async (trigger) => {
    const world = modelWorld();
    const tick = { atMs: Date.UTC(2026, 10, 28, 2), periodMs: 60_000 };
    // Two others, each of which one server has granted it to first. They give it back in a moment.
    const job = { key: '{redlock:report}:job', start: { trigger, tickMs: tick.atMs, startedAtMs: 0 } };
    const ask = (kind: 'acquire' | 'release', ttlMs: number): void => {
      const claims = [{ key: 'redlock:report', ttlMs }];
      for (const [index, node] of world.nodes.slice(1).entries()) {
        const request = { kind, token: `token-${index}`, owner: 'other', claims, job };
        node.execute([request], ignore, ignore);
      }
    };
    ask('acquire', 1000);
    world.clock.after(20, () => {
      ask('release', 0);
    });
    await settle(world, run(world.serve(), undefined, { trigger, tick, wait: 500 }));
  });

  it('an attempt to run a tick again that did not get the lock leaves the tick claimed', async () => {
    const world = modelWorld();
    const [one, two, three] = world.nodes;
    const tick = { atMs: Date.UTC(2026, 10, 28, 2), periodMs: 60_000 };
    three?.disconnect();
    const die = (): Promise<void> => {
      for (const node of world.nodes) cutOff(node, 'first');
      return Promise.resolve();
    };
    await world.clock.settle(run(world.serve({ owner: 'first' }), die, { trigger: 'schedule', tick }));
    await world.clock.advance(2000);
    // One server denies the second run, one grants it, and one does not answer.
    const other = { kind: 'acquire', token: 'other', owner: 'other', claims: [{ key: 'redlock:report', ttlMs: 500 }] };
    one?.execute([other as NodeRequest], ignore, ignore);
    const { error } = await world.clock.settle(run(world.serve(), undefined, { trigger: 'again', tick }));
    expect(error).toMatchObject({ reason: 'undecided' });
    await world.clock.advance(1000);
    expect(two?.tokenAt('redlock:report')).toBeUndefined();
    three?.connect();
    const late = await world.clock.settle(run(world.serve(), undefined, { trigger: 'schedule', tick }));
    expect(late.error).toMatchObject({ code: 'LOCK_CONTENDED' });
  });

  it('a nested run does not begin under a lock that ended while it was asked whether the job is paused (P6)', async () => {
    const world = modelWorld();
    const service = world.serve();
    let began = false;
    const outer = service.withLock(
      'report',
      '1s',
      async () => {
        await new Promise<void>((resolve) => world.clock.after(800, resolve));
        for (const node of world.nodes) node.delayMs = 400;
        const inner = { method: 'Jobs.report', job: 'report', trigger: 'manual' as const };
        const nested = calledBy(inner, { reentrant: true });
        await service.withLock('report', '1s', () => Promise.resolve((began = true)), nested).catch(() => undefined);
      },
      { autoExtend: false },
    );
    await world.clock.settle(outer);
    expect(began).toBe(false);
  });
});

describe('P20: a read brings what is known to the servers that are behind', () => {
  /** The servers lose their data one after the other, and the job is read after each. */
  async function loseAll(world: ModelWorld, service: RedlockService): Promise<void> {
    for (const node of world.nodes) {
      node.flush();
      await settle(world, service.client.jobs.read(PLACE));
      await world.clock.advance(1000);
    }
  }

  it('a pause outlives servers that lose their data one after the other', async () => {
    const world = modelWorld();
    const service = world.serve();
    await settle(world, service.client.jobs.pause(PLACE, { reason: 'stock-taking' }));
    await loseAll(world, service);
    const { error } = await world.clock.settle(run(world.serve()));
    expect(error).toMatchObject({ reason: 'paused', owner: 'stock-taking' });
  });

  it.each(['schedule', 'manual'] as const)(
    'a tick that has run stays covered, and no run by hand changes that: %s',
    async (last) => {
      const world = modelWorld();
      const service = world.serve();
      const tick = { atMs: Date.UTC(2026, 10, 28, 2), periodMs: 60_000 };
      service.client.jobs.cover(PLACE, tick.atMs - 60_000);
      await settle(world, run(service, undefined, { trigger: 'schedule', tick }));
      if (last === 'manual') await settle(world, run(service));
      await loseAll(world, service);
      expect(await settle(world, service.client.jobs.read(PLACE))).toMatchObject({ coveredMs: tick.atMs, runs: [] });
    },
  );

  it('the ticks of a pause that has run out stay covered', async () => {
    const world = modelWorld();
    const service = world.serve();
    await settle(world, service.client.jobs.pause(PLACE, { forMs: 10_000 }));
    await world.clock.advance(11_000);
    const { coveredMs } = await settle(world, service.client.jobs.read(PLACE));
    expect(coveredMs).toBeGreaterThan(0);
    world.nodes[0]?.flush();
    for (let reads = 0; reads < 2; reads++) {
      expect(await settle(world, service.client.jobs.read(PLACE))).toMatchObject({ coveredMs, pausedLeftMs: 0 });
      await world.clock.advance(1000);
    }
  });

  it('an attempt that may yet be undone covers nothing, and neither does what few servers cover', async () => {
    const world = modelWorld();
    const service = world.serve();
    const tickMs = Date.UTC(2026, 10, 28, 2);
    const start = { trigger: 'schedule', tickMs, startedAtMs: tickMs } as const;
    const job = { key: '{redlock:report}:job', start };
    const claims = [{ key: 'redlock:report', ttlMs: 500 }];
    world.nodes[0]?.execute([{ kind: 'acquire', token: 'other', owner: 'other', claims, job }], ignore, ignore);
    const steer = { kind: 'steer', token: '-', owner: 'other', claims, job, coveredMs: tickMs } as const;
    world.nodes[1]?.execute([steer], ignore, ignore);
    await world.clock.advance(1000);
    await settle(world, service.client.jobs.read(PLACE));
    await world.clock.advance(10);
    expect(world.nodes[2]?.arrived.map(({ kind }) => kind)).toEqual(['read']);
  });

  it('P18: servers that know the same are only read', async () => {
    const world = modelWorld();
    const service = world.serve();
    await settle(world, service.client.jobs.pause(PLACE, { forMs: 10_000 }));
    await world.clock.advance(11_000);
    const tick = { atMs: Date.UTC(2026, 10, 28, 2), periodMs: 60_000 };
    await settle(world, run(service, undefined, { trigger: 'schedule', tick }));
    await world.clock.advance(1000);
    for (const node of world.nodes) node.arrived.splice(0);
    await settle(world, service.client.jobs.read(PLACE));
    await world.clock.advance(1000);
    for (const { arrived } of world.nodes) expect(arrived.map(({ kind }) => kind)).toEqual(['read']);
  });
});

function ignore(): void {
  // What it answers is read from the server itself.
}
