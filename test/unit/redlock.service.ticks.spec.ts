import { expect, it } from '@jest/globals';
import type { Cancel, Clock } from '../../lib/core/ports/clock.js';
import type { NodeReply } from '../../lib/core/ports/lock-node.js';
import { LockClient } from '../../lib/client/lock-client.js';
import { toSettings } from '../../lib/client/options/module-options.js';
import { RedlockService } from '../../lib/redlock.service.js';
import { Shards } from '../../lib/client/shards.js';
import { modelWorld, type ModelWorld } from '../support/model-service.js';
import { quorumOver } from '../support/model-quorum.js';

/** The clock of a process that can stand still: its time goes on, its timers come when it wakes. */
class FreezingClock implements Clock {
  #frozen = false;
  /** How long its machine was suspended, and since when it is. */
  #suspendedMs = 0;
  #suspendedAtMs: number | undefined;
  #late: (() => void)[] = [];
  constructor(private readonly clock: Clock) {}
  nowMs(): number {
    return (this.#suspendedAtMs ?? this.clock.nowMs()) - this.#suspendedMs;
  }
  wallMs(): number {
    return this.clock.wallMs();
  }
  after(delayMs: number, callback: () => void): Cancel {
    let cancelled = false;
    const run = (): void => {
      if (cancelled) return;
      if (this.#frozen) this.#late.push(run);
      else callback();
    };
    const cancel = this.clock.after(Math.max(1, delayMs), run); // as setTimeout does
    return () => {
      cancelled = true;
      cancel();
    };
  }
  afterInput(callback: () => void): void {
    callback();
  }
  atEndOfTurn(callback: () => void): void {
    this.clock.atEndOfTurn(callback);
  }
  freeze(): void {
    this.#frozen = true;
  }
  suspend(): void {
    this.freeze();
    this.#suspendedAtMs = this.clock.nowMs();
  }
  wake(): void {
    this.#frozen = false;
    this.#suspendedMs += this.clock.nowMs() - (this.#suspendedAtMs ?? this.clock.nowMs());
    this.#suspendedAtMs = undefined;
    for (const run of this.#late.splice(0)) run();
  }
}

interface Pair {
  readonly world: ModelWorld;
  readonly clock: FreezingClock;
  readonly runs: string[];
  readonly other: RedlockService;
  /** A job each second, this tick of it: by the process that may stand still, or by another one. */
  run(who: 'paused' | 'other', tickAtMs: number): Promise<unknown>;
}

function pair(): Pair {
  const world = modelWorld(3);
  for (const node of world.nodes) Object.assign(node, { delayMs: 0.2, deaf: true });
  const clock = new FreezingClock(world.clock);
  const settings = toSettings({ servers: ['a', 'b', 'c'], clockTolerance: '1s' });
  const quorum = { ...quorumOver(world.nodes, world.clock, { seed: 9, owner: 'paused' }), rules: settings, clock };
  const shards = new Shards([{ identity: 'all', servers: [], quorum }], clock, false);
  const services = {
    paused: new RedlockService(new LockClient(settings, shards)),
    other: world.serve({ clockTolerance: '1s' }),
  };
  const runs: string[] = [];
  const run: Pair['run'] = (who, atMs) => {
    const options = { tick: { atMs, periodMs: 1000 }, wait: 250, onContended: 'skip' } as const;
    return services[who].withLock('job', '1s', () => Promise.resolve(runs.push(who)), options).catch(() => undefined);
  };
  return { world, clock, runs, other: services.other, run };
}

it.each([
  ['of now', () => Date.now()],
  ['of a replica whose clock is wrong', () => Date.now() + 30 * 24 * 3600 * 1000],
  ['of long ago', () => 5],
])(
  'P8, P6: a process that stood still while it waited for the key of a tick %s does not run it again',
  async (_, atMs) => {
    const { world, clock, runs, other, run } = pair();
    const tickAtMs = atMs();
    // The run of the tick before is just ending when the tick comes, so both wait for it, as they should.
    const { value: before } = await world.clock.settle(other.acquire('job', '10s'));
    void run('paused', tickAtMs);
    await world.clock.advance(50);
    clock.freeze(); // SIGSTOP, a paused machine
    const punctual = run('other', tickAtMs);
    await world.clock.advance(20);
    await world.clock.settle(before!.release());
    await world.clock.settle(punctual);
    expect(runs).toEqual(['other']);

    await world.clock.advance(10_000);
    clock.wake();
    await world.clock.advance(1000);
    expect(runs).toEqual(['other']);
  },
);

it('P8, P19: a process whose machine was suspended while it waited for the key of a tick does not run it again', async () => {
  const { world, clock, runs, other, run } = pair();
  const tickAtMs = Date.now();
  const { value: before } = await world.clock.settle(other.acquire('job', '10s'));
  void run('paused', tickAtMs);
  await world.clock.advance(50);
  clock.suspend();
  const punctual = run('other', tickAtMs);
  await world.clock.advance(20);
  await world.clock.settle(before!.release());
  await world.clock.settle(punctual);
  await world.clock.advance(10_000);
  clock.wake();
  await world.clock.advance(1000);
  expect(runs).toEqual(['other']);
});

it('P8: a process that stood still for a moment while the servers answered runs its tick', async () => {
  const { world, clock, runs, run } = pair();
  void run('paused', Date.now());
  clock.freeze();
  await world.clock.advance(1300);
  clock.wake();
  await world.clock.advance(100);
  expect(runs).toEqual(['paused']);
});

it.each(Array.from({ length: 12 }, (_, hops) => hops))(
  'P8: a tick whose run does not begin, because the application closes, is left to others (%i steps after the grant)',
  async (hops) => {
    const world = modelWorld(1);
    const [one, two] = [world.serve(), world.serve()];
    let runs = 0;
    const work = (): Promise<void> => {
      runs++;
      return Promise.resolve();
    };
    const options = { tick: 1_000_000, onContended: 'skip' } as const;
    const [node] = world.nodes;
    const execute = node!.execute.bind(node);
    let closed: Promise<void> | undefined;
    const close = async (): Promise<void> => {
      for (let i = 0; i < hops; i++) await Promise.resolve();
      await one.onApplicationShutdown();
    };
    node!.execute = (requests, onReplies, onError) => {
      const isAcquire = requests.some(({ kind }) => kind === 'acquire');
      const onGranted = (replies: readonly NodeReply[]): void => {
        if (isAcquire) closed ??= close();
        onReplies(replies);
      };
      execute(requests, onGranted, onError);
    };
    await world.clock.settle(one.withLock('job', '1s', work, options));
    await world.clock.settle(closed!);
    await world.clock.advance(2000);
    await world.clock.settle(two.withLock('job', '1s', work, options));
    expect(runs).toBe(1);
  },
);
