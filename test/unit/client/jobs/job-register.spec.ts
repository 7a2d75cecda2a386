import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ConsoleLogger, Logger } from '@nestjs/common';
import { currentLock, type LockContendedError, type RedlockService, type WithLockCallOptions } from 'redlock-nestjs';
import { calledBy } from '../../../../lib/client/options/acquire-options.js';
import type { RegisteredRun } from '../../../../lib/client/jobs/job-record.js';
import type { RunTrigger } from '../../../../lib/core/ports/job-note.js';
import { CollectingLogger } from '../../../support/collecting-logger.js';
import { modelWorld, type ModelWorld } from '../../../support/model-service.js';

beforeAll(() => {
  Logger.overrideLogger(new CollectingLogger());
});
afterAll(() => {
  Logger.overrideLogger(new ConsoleLogger());
});

const PLACE = { keys: 'report' };

/** A run of the job "report", as a decorated method makes it. */
function run(
  service: RedlockService,
  {
    trigger = 'schedule',
    tickMs,
    work = () => Promise.resolve(),
    ttl = '1s',
    ...options
  }: { trigger?: RunTrigger; tickMs?: number; work?: () => Promise<unknown>; ttl?: string } & WithLockCallOptions = {},
): Promise<unknown> {
  const tick = tickMs === undefined ? undefined : { atMs: tickMs, periodMs: 60_000 };
  const all = { wait: 0, ...(tick && { tick }), ...options };
  return service.withLock('report', ttl, work, calledBy({ method: 'Jobs.report', job: 'report', trigger }, all));
}

function runsOf(service: RedlockService, world: ModelWorld): Promise<readonly RegisteredRun[]> {
  return settle(world, service.client.jobs.read(PLACE)).then(({ runs }) => runs);
}

async function settle<T>({ clock }: ModelWorld, promise: Promise<T>): Promise<T> {
  const { value, error } = await clock.settle(promise);
  if (error !== undefined) throw error as Error;
  return value as T;
}

/** What work waits for. */
function pass({ clock }: ModelWorld, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(ms, resolve);
  });
}

async function fails({ clock }: ModelWorld, promise: Promise<unknown>): Promise<LockContendedError> {
  const { error } = await clock.settle(promise);
  return error as LockContendedError;
}

const TICK_MS = Date.UTC(2026, 10, 28, 2);

describe('the register of a job', () => {
  it('P20: keeps the ticks of a pause that ran out covered, also where another pause has taken its place and ended', async () => {
    const world = modelWorld();
    const { jobs } = world.serve().client;
    await settle(world, jobs.pause(PLACE, { forMs: 1000 }));
    const endMs = world.clock.wallMs() + 1000;
    await world.clock.advance(5000);
    await settle(world, jobs.pause(PLACE, { forMs: 60_000 }));
    expect((await settle(world, jobs.read(PLACE))).coveredMs).toBeGreaterThanOrEqual(endMs - 1000);
  });

  it('P20: keeps each run with its replica, its times, its tick and its end', async () => {
    const world = modelWorld();
    const [one, two] = [world.serve({ owner: 'one' }), world.serve({ owner: 'two' })];
    await settle(world, run(one, { tickMs: TICK_MS, work: () => pass(world, 50) }));
    await fails(world, run(two, { trigger: 'manual', work: () => Promise.reject(new Error('out of paper\nand ink')) }));
    const [second, first] = await runsOf(one, world);
    expect(first).toMatchObject({ owner: 'one', trigger: 'schedule', tickMs: TICK_MS, outcome: 'succeeded' });
    expect((first?.endedAtMs ?? 0) - (first?.startedAtMs ?? 0)).toBe(50);
    expect(second).toMatchObject({ owner: 'two', trigger: 'manual', tickMs: 0, outcome: 'failed' });
    expect(second?.error).toBe('out of paper\nand ink');
    expect(second?.fencingToken).toBeGreaterThan(first?.fencingToken ?? Infinity);
  });

  it('P20: a run is running while it has its lock, for every replica that reads', async () => {
    const world = modelWorld();
    const service = world.serve();
    const seen: (string | undefined)[] = [];
    const work = async (): Promise<void> => {
      seen.push((await service.client.jobs.read(PLACE)).runs[0]?.outcome);
    };
    await settle(world, run(service, { work }));
    expect(seen).toEqual(['running']);
    void run(service, { work: () => new Promise(() => undefined), autoExtend: false }).catch(() => undefined);
    await world.clock.advance(10);
    const other = world.serve();
    expect((await runsOf(other, world)).map(({ outcome }) => outcome)).toEqual(['running', 'succeeded']);
  });

  it('P20: a run whose lock was lost is lost, whatever becomes of its work', async () => {
    const world = modelWorld();
    const service = world.serve();
    const running = run(service, { work: () => pass(world, 5000), autoExtend: false });
    expect(await fails(world, running)).toMatchObject({ code: 'LOCK_LOST' });
    expect(await runsOf(service, world)).toMatchObject([{ outcome: 'lost' }]);
  });

  it('P20: an attempt that did not get the lock leaves no run', async () => {
    const world = modelWorld();
    const [one, two] = [world.serve(), world.serve()];
    await settle(
      world,
      run(one, {
        work: async () => {
          expect(await fails(world, run(two))).toMatchObject({ reason: 'locked' });
        },
      }),
    );
    for (const node of world.nodes.slice(1)) node.stall();
    await fails(world, run(two));
    for (const node of world.nodes) node.resume();
    await world.clock.advance(1000);
    expect(await runsOf(two, world)).toHaveLength(1);
  });

  it('P20: keeps the last twenty runs', async () => {
    const world = modelWorld();
    const service = world.serve();
    for (let each = 0; each < 25; each++) await settle(world, run(service, { tickMs: TICK_MS + each * 60_000 }));
    const { runs, coveredMs } = await settle(world, service.client.jobs.read(PLACE));
    expect(runs.map(({ tickMs }) => tickMs)).toEqual(
      Array.from({ length: 20 }, (_, each) => TICK_MS + (24 - each) * 60_000),
    );
    expect(coveredMs).toBe(TICK_MS + 24 * 60_000);
  });

  it('P20: what a minority of the servers has forgotten is still known', async () => {
    const world = modelWorld(5);
    const service = world.serve();
    await settle(world, run(service, { tickMs: TICK_MS }));
    await settle(world, service.client.jobs.pause(PLACE, { reason: 'stock-taking' }));
    for (const node of world.nodes.slice(0, 2)) node.flush();
    const record = await settle(world, world.serve().client.jobs.read(PLACE));
    expect(record).toMatchObject({ pausedLeftMs: Infinity, reason: 'stock-taking', runs: [{ tickMs: TICK_MS }] });
  });

  it('P5: without a majority it is not read, and says why', async () => {
    const world = modelWorld();
    const service = world.serve();
    for (const node of world.nodes.slice(1)) node.stall();
    const { error, tookMs } = await world.clock.settle(service.client.jobs.read(PLACE));
    expect(error).toMatchObject({ code: 'QUORUM_UNREACHABLE' });
    expect((error as Error).message).toContain('Could not read the register of "report"');
    expect(tookMs).toBe(500);
  });

  it('a lock that is no run of a job leaves no register', async () => {
    const world = modelWorld();
    const service = world.serve();
    await settle(
      world,
      service.withLock('report', '1s', () => Promise.resolve()),
    );
    expect(await runsOf(service, world)).toEqual([]);
    for (const { arrived } of world.nodes) expect(arrived.filter(({ job }) => job !== undefined)).toHaveLength(1);
  });
});

describe('a pause', () => {
  it('P20: refuses every run of every replica at once, whatever the wait, until it is resumed', async () => {
    const world = modelWorld();
    const [one, two] = [world.serve(), world.serve()];
    await settle(world, one.client.jobs.pause(PLACE, { reason: 'the printer burns' }));
    for (const trigger of ['schedule', 'manual', 'catch-up', 'again'] as const) {
      const { error, tookMs } = await world.clock.settle(run(two, { trigger, tickMs: TICK_MS, wait: '10s' }));
      expect(error).toMatchObject({ code: 'LOCK_CONTENDED', reason: 'paused', remainingMs: Infinity });
      expect((error as Error).message).toBe('"report" is paused: the printer burns.');
      expect(tookMs).toBe(0);
    }
    await settle(world, two.client.jobs.resume(PLACE));
    await settle(world, run(one, { tickMs: TICK_MS + 60_000 }));
    expect(await runsOf(one, world)).toHaveLength(1);
  });

  it('P20: leaves other jobs, and locks that are no job, alone; a run that has its lock goes on', async () => {
    const world = modelWorld();
    const service = world.serve();
    await settle(world, run(service, { work: () => service.client.jobs.pause(PLACE).then(() => pass(world, 10)) }));
    await settle(
      world,
      service.withLock('report', '1s', () => Promise.resolve()),
    );
    await settle(
      world,
      service.withLock('other', '1s', () => Promise.resolve(), { job: 'other' }),
    );
    expect(await runsOf(service, world)).toMatchObject([{ outcome: 'succeeded' }]);
    expect(await fails(world, run(service))).toMatchObject({ reason: 'paused' });
  });

  it('P20: ends by itself where it was given a time', async () => {
    const world = modelWorld();
    const service = world.serve();
    await settle(world, service.client.jobs.pause(PLACE, { forMs: 60_000 }));
    await world.clock.advance(59_000);
    const error = await fails(world, run(service));
    expect(error.reason).toBe('paused');
    expect(error.remainingMs).toBeGreaterThan(900);
    await world.clock.advance(1100);
    await settle(world, run(service));
  });

  it('P20: holds with two of five servers away, and a third that has lost its data since', async () => {
    const world = modelWorld(5);
    const service = world.serve();
    for (const node of world.nodes.slice(3)) node.disconnect();
    await settle(world, service.client.jobs.pause(PLACE));
    world.nodes[0]?.flush();
    // The next tick brings the pause back to the first server. Then the two that have never heard of it come back.
    expect(await fails(world, run(service))).toMatchObject({ reason: 'paused' });
    await world.clock.advance(10);
    for (const node of world.nodes.slice(3)) node.connect();
    world.nodes[1]?.stall();
    expect(await fails(world, run(world.serve()))).toMatchObject({ reason: 'paused' });
  });

  it('P20: a vote that was given without the pause does not count where a newer state is known', async () => {
    const world = modelWorld(5);
    const service = world.serve();
    for (const node of world.nodes.slice(3)) node.disconnect();
    await settle(world, service.client.jobs.pause(PLACE));
    for (const node of world.nodes.slice(3)) node.connect();
    world.nodes[0]?.flush();
    // Three servers do not know of it, and two do.
    expect(await fails(world, run(world.serve()))).toMatchObject({ reason: 'paused' });
  });

  it('P20: a server that was away while the job was resumed keeps no tick from running', async () => {
    const world = modelWorld(5);
    const service = world.serve();
    await settle(world, service.client.jobs.pause(PLACE));
    for (const node of world.nodes.slice(0, 2)) node.disconnect();
    await settle(world, service.client.jobs.resume(PLACE));
    for (const node of world.nodes.slice(0, 2)) node.connect();
    world.nodes[4]?.stall();
    await settle(world, run(world.serve(), { wait: 250 }));
  });

  it('without a majority neither is done, and says so', async () => {
    const world = modelWorld();
    const service = world.serve();
    for (const node of world.nodes.slice(1)) node.disconnect();
    for (const call of [service.client.jobs.pause(PLACE), service.client.jobs.resume(PLACE)]) {
      expect(await fails(world, call)).toMatchObject({ code: 'QUORUM_UNREACHABLE' });
    }
  });
});

describe('a tick that is made up for', () => {
  it('P20: runs once, where it has not run; its lock is late', async () => {
    const world = modelWorld();
    const [one, two] = [world.serve(), world.serve()];
    const seen: unknown[] = [];
    const work = (): Promise<void> => {
      seen.push([currentLock()?.tick?.getTime(), currentLock()?.late]);
      return Promise.resolve();
    };
    const catchUp = { trigger: 'catch-up', tickMs: TICK_MS, work } as const;
    await settle(world, run(one, catchUp));
    // The claim of the tick is over, but the register remembers.
    await world.clock.advance(600_000);
    expect(await fails(world, run(two, catchUp))).toMatchObject({ reason: 'already-ran' });
    expect(await fails(world, run(two, { ...catchUp, tickMs: TICK_MS - 60_000 }))).toMatchObject({
      reason: 'already-ran',
    });
    await settle(world, run(two, { tickMs: TICK_MS + 60_000, work }));
    expect(seen).toEqual([
      [TICK_MS, true],
      [TICK_MS + 60_000, false],
    ]);
  });

  it('P20: does not run where it needs no run any more, or came during a pause', async () => {
    const world = modelWorld();
    const service = world.serve();
    service.client.jobs.cover(PLACE, TICK_MS);
    await world.clock.advance(10);
    expect(await fails(world, run(service, { trigger: 'catch-up', tickMs: TICK_MS }))).toMatchObject({
      reason: 'already-ran',
    });
    const next = TICK_MS + 60_000;
    await settle(world, service.client.jobs.pause(PLACE));
    await fails(world, run(service, { tickMs: next }));
    await settle(world, service.client.jobs.resume(PLACE));
    expect(await fails(world, run(service, { trigger: 'catch-up', tickMs: next }))).toMatchObject({
      reason: 'already-ran',
    });
  });

  it('P20: a tick whose attempts all failed can be made up for', async () => {
    const world = modelWorld();
    const service = world.serve();
    for (const node of world.nodes.slice(1)) node.stall();
    await fails(world, run(service, { tickMs: TICK_MS }));
    for (const node of world.nodes) node.resume();
    await world.clock.advance(100);
    await settle(world, run(service, { trigger: 'catch-up', tickMs: TICK_MS }));
    expect(await runsOf(service, world)).toMatchObject([{ trigger: 'catch-up', outcome: 'succeeded' }]);
  });
});

describe('a tick whose holder died', () => {
  async function killed(world: ModelWorld): Promise<void> {
    const dying = world.serve({ owner: 'dying' });
    // It never extends, and never gives back: its process is gone.
    void run(dying, { tickMs: TICK_MS, work: () => new Promise(() => undefined), autoExtend: false }).catch(
      () => undefined,
    );
    await world.clock.advance(10);
    for (const node of world.nodes) {
      const execute = node.execute.bind(node);
      node.execute = (requests, ...callbacks) => {
        if (requests[0]?.owner !== 'dying') execute(requests, ...callbacks);
      };
    }
  }

  it('P20: runs once more when its lock is over, with a higher fencing token, and not a third time', async () => {
    const world = modelWorld();
    await killed(world);
    const service = world.serve({ owner: 'next' });
    const again = { trigger: 'again', tickMs: TICK_MS } as const;
    expect(await fails(world, run(service, again))).toMatchObject({ reason: 'locked' });
    await world.clock.advance(1100);
    expect((await runsOf(service, world)).map(({ outcome }) => outcome)).toEqual(['died']);
    await settle(world, run(service, again));
    const runs = await runsOf(service, world);
    expect(runs.map(({ outcome, owner }) => [outcome, owner])).toEqual([
      ['succeeded', 'next'],
      ['died', 'dying'],
    ]);
    expect(runs[0]?.fencingToken).toBeGreaterThan(runs[1]?.fencingToken ?? Infinity);
    expect(await fails(world, run(world.serve(), again))).toMatchObject({ reason: 'already-ran' });
  });

  it('P20: does not run again where the run has ended, also after its claim is over', async () => {
    const world = modelWorld();
    const service = world.serve();
    await settle(world, run(service, { tickMs: TICK_MS }));
    const again = { trigger: 'again', tickMs: TICK_MS } as const;
    expect(await fails(world, run(world.serve(), again))).toMatchObject({ reason: 'already-ran' });
    await world.clock.advance(600_000);
    expect(await fails(world, run(world.serve(), again))).toMatchObject({ reason: 'already-ran' });
  });
});
