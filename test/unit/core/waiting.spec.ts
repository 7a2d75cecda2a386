import { describe, expect, it } from '@jest/globals';
import type { AcquirePlan } from '../../../lib/core/acquire.js';
import { Cancellation } from '../../../lib/core/cancellation.js';
import { LockContendedError } from '../../../lib/core/errors/index.js';
import { LockHandle } from '../../../lib/core/lock.js';
import type { Quorum } from '../../../lib/core/quorum.js';
import { sleep } from '../../../lib/core/wait.js';
import { DistantNode } from '../../support/distant-node.js';
import type { ModelNode } from '../../support/model-node.js';
import { acquire, keepFor, modelNodes, planFor, quorumOver } from '../../support/model-quorum.js';
import { VirtualClock } from '../../support/virtual-clock.js';

const TRIP_MS = 10;

interface World {
  readonly clock: VirtualClock;
  readonly nodes: ModelNode[];
  readonly processes: Quorum[];
}

/** Some processes over the same three servers. A round trip takes 10 ms. */
function world(processes = 1): World {
  const clock = new VirtualClock();
  const nodes = modelNodes(3, clock);
  for (const node of nodes) node.delayMs = TRIP_MS;
  const quorums = Array.from({ length: processes }, (_, index) =>
    quorumOver(nodes, clock, { seed: index + 1, owner: `process-${index}` }),
  );
  return { clock, nodes, processes: quorums };
}

type Wish = Partial<AcquirePlan> & { key?: string };

const severalKeys = (...keys: string[]): Wish => ({ keys, claims: keys.map((key) => ({ key, ttlMs: 10_000 })) });

async function take(quorum: Quorum, plan: Wish = {}): Promise<LockHandle> {
  const full = planFor({ ttlMs: 10_000, waitMs: 60_000, ...plan });
  return new LockHandle(quorum, full, await acquire(quorum, full), keepFor());
}

/** Holds the lock for so long, and gives it back. Resolves to how long it has waited. */
async function use(quorum: Quorum, holdMs: number, plan: Wish = {}): Promise<number> {
  const askedAtMs = quorum.clock.nowMs();
  const lock = await take(quorum, plan);
  const waitedMs = quorum.clock.nowMs() - askedAtMs;
  await sleep(quorum.clock, holdMs);
  await lock.release();
  return waitedMs;
}

const trips = (nodes: readonly ModelNode[]): number => nodes.reduce((sum, node) => sum + node.trips, 0);

describe('P14: waiters of one process', () => {
  it('get the lock in the order in which they came, one trip after the release', async () => {
    const { clock, nodes, processes } = world();
    const order: number[] = [];
    const all = Array.from({ length: 20 }, async (_, index) => {
      await use(processes[0]!, 5);
      order.push(index);
    });
    const { tookMs } = await clock.settle(Promise.all(all));
    expect(order).toEqual(order.toSorted((one, other) => one - other));
    expect(order).toHaveLength(20);
    // Each: a trip for the grant and 5 ms of work; now and then one more, to let others have a go, and one at the end.
    expect(tookMs).toBeLessThanOrEqual(20 * (TRIP_MS + 5) + 5 * TRIP_MS);
    for (const node of nodes) expect(node.keys).toEqual([]);
  });

  it('send nothing while they wait, however long', async () => {
    const counts: number[] = [];
    for (const holdMs of [100, 9000]) {
      const { clock, nodes, processes } = world();
      const users = Array.from({ length: 6 }, () => use(processes[0]!, holdMs));
      await clock.settle(Promise.all(users));
      counts.push(trips(nodes));
    }
    expect(counts[1]).toBe(counts[0]);
  });

  it('can be cancelled, at the front or in the middle, and that disturbs no other', async () => {
    const { clock, processes } = world();
    const [quorum] = processes as [Quorum];
    const { value: holder } = await clock.settle(take(quorum));
    const controllers = Array.from({ length: 4 }, () => new AbortController());
    const order: number[] = [];
    const all = controllers.map(({ signal }, index) =>
      use(quorum, 5, { cancellation: new Cancellation(signal) }).then(
        () => order.push(index),
        (error: unknown) => {
          expect(error).toBe(`reason ${index}`);
        },
      ),
    );
    await clock.advance(50);
    controllers[0]?.abort('reason 0');
    controllers[2]?.abort('reason 2');
    await clock.advance(50);
    const releasedAtMs = clock.nowMs();
    await clock.settle(Promise.all([holder?.release(), ...all]));
    expect(order).toEqual([1, 3]);
    expect(clock.nowMs() - releasedAtMs).toBeLessThanOrEqual(2 * (TRIP_MS + 5) + TRIP_MS);
  });

  it('P5: give up when their wait is over, wherever they stand, and say who holds the lock', async () => {
    const { clock, processes } = world();
    const [quorum] = processes as [Quorum];
    await clock.settle(take(quorum));
    const impatient = use(quorum, 5, { waitMs: 1000 });
    const patient = take(quorum, { waitMs: 20_000 });
    const shortest = use(quorum, 5, { waitMs: 200 });
    for (const [waiter, waitMs] of [
      [shortest, 200],
      [impatient, 800],
    ] as const) {
      const { error, tookMs } = await clock.settle(waiter);
      expect(error).toBeInstanceOf(LockContendedError);
      expect((error as Error).message).toContain('process-0');
      expect(tookMs).toBeGreaterThanOrEqual(waitMs);
      expect(tookMs).toBeLessThanOrEqual(waitMs + 200);
    }
    const { value } = await clock.settle(patient);
    expect(value?.isHeld()).toBe(true);
  });

  it('get a lock that was lost as soon as the servers have forgotten it', async () => {
    const { clock, processes } = world();
    const [quorum] = processes as [Quorum];
    await clock.settle(take(quorum, { ttlMs: 1000 }));
    const { value, tookMs } = await clock.settle(take(quorum));
    expect(value?.isHeld()).toBe(true);
    expect(tookMs).toBeLessThanOrEqual(1000 + 2 * TRIP_MS);
  });

  it('on other keys do not wait for them, and those on several keys wait for all of theirs without a deadlock', async () => {
    const { clock, processes } = world();
    const [quorum] = processes as [Quorum];
    const all = Promise.all([
      use(quorum, 100, severalKeys('a', 'b')),
      use(quorum, 100, severalKeys('b', 'c')),
      use(quorum, 100, severalKeys('c', 'a')),
      use(quorum, 100, severalKeys('d')),
      use(quorum, 100, severalKeys('a')),
    ]);
    const { value } = await clock.settle(all);
    expect(value?.[3]).toBeLessThanOrEqual(TRIP_MS);
    expect(Math.max(...(value ?? []))).toBeLessThanOrEqual(3 * (100 + 2 * TRIP_MS) + TRIP_MS);
  });

  it('do not keep out one who asks once, or counts its rounds', async () => {
    const { clock, processes } = world();
    const [quorum] = processes as [Quorum];
    const { value: holder } = await clock.settle(take(quorum));
    const waiting = use(quorum, 5);
    const once = await clock.settle(take(quorum, { waitMs: 0 }));
    expect(once.error).toBeInstanceOf(LockContendedError);
    expect(once.tookMs).toBeLessThanOrEqual(TRIP_MS);
    const thrice = await clock.settle(take(quorum, { maxRetries: 2 }));
    expect(thrice.error).toBeInstanceOf(LockContendedError);
    expect(thrice.tookMs).toBeLessThan(1000);
    await clock.settle(Promise.all([holder?.release(), waiting]));
  });
});

describe('P14: waiters of other processes', () => {
  it('are woken by the release: two trips after it they have the lock', async () => {
    const { clock, processes } = world(2);
    const [one, other] = processes as [Quorum, Quorum];
    const { value: holder } = await clock.settle(take(one));
    const waiting = take(other);
    await clock.advance(5000);
    const releasedAtMs = clock.nowMs();
    void holder?.release();
    const { value } = await clock.settle(waiting);
    expect(value?.isHeld()).toBe(true);
    expect(clock.nowMs() - releasedAtMs).toBeLessThanOrEqual(2 * TRIP_MS);
  });

  it('send nothing while they listen', async () => {
    const { clock, nodes, processes } = world(2);
    const [one, other] = processes as [Quorum, Quorum];
    const { value: holder } = await clock.settle(take(one));
    const waiting = take(other);
    await clock.advance(100);
    const before = trips(nodes);
    await clock.advance(8000);
    expect(trips(nodes)).toBe(before);
    await clock.settle(Promise.all([holder?.release(), waiting]));
  });

  it.each(['none', 'one from the start', 'one that dies meanwhile'])(
    'are woken with dead servers: %s',
    async (dead) => {
      const { clock, nodes, processes } = world(2);
      const [one, other] = processes as [Quorum, Quorum];
      if (dead === 'one from the start') nodes[0]?.disconnect();
      const { value: holder } = await clock.settle(take(one));
      const waiting = take(other);
      await clock.advance(1000);
      if (dead === 'one that dies meanwhile') nodes[1]?.disconnect();
      const releasedAtMs = clock.nowMs();
      void holder?.release();
      const { value } = await clock.settle(waiting);
      expect(value?.isHeld()).toBe(true);
      expect(clock.nowMs() - releasedAtMs).toBeLessThanOrEqual(2 * TRIP_MS);
    },
  );

  it('ask again when the ttl of the holder is over, although no message has come', async () => {
    const { clock, nodes, processes } = world(2);
    const [one, other] = processes as [Quorum, Quorum];
    const { value: holder } = await clock.settle(take(one, { ttlMs: 3000 }));
    const waiting = take(other);
    await clock.advance(500);
    for (const node of nodes) node.deaf = true; // They do not know that they are not heard.
    void holder?.release();
    const { tookMs } = await clock.settle(waiting);
    expect(tookMs).toBeLessThanOrEqual(2500 + 2 * TRIP_MS);
  });

  it('ask again from time to time where no server lets them listen', async () => {
    const { clock, nodes, processes } = world(2);
    const [one, other] = processes as [Quorum, Quorum];
    for (const node of nodes) node.deaf = true;
    const { value: holder } = await clock.settle(take(one));
    const waiting = take(other);
    await clock.advance(1000);
    void holder?.release();
    const { tookMs } = await clock.settle(waiting);
    expect(tookMs).toBeLessThanOrEqual(1000 + 2 * TRIP_MS);
  });

  it.each([0, 1])(
    'hear that the lock is kept for less long than its ttl, with %i waiters beside the holder',
    async (beside) => {
      const { clock, processes } = world(2);
      const [one, other] = processes as [Quorum, Quorum];
      const plan = planFor({ ttlMs: 50_000, waitMs: 60_000 });
      const { value: grant } = await clock.settle(acquire(one, plan));
      const holder = new LockHandle(one, plan, grant!, keepFor({ minHoldMs: 1000 }));
      const impatient = Array.from({ length: beside }, () => use(one, 5, { waitMs: 600 }).catch(() => undefined));
      const waiting = take(other);
      await clock.advance(500);
      const { tookMs } = await clock.settle(Promise.all([holder.release(), ...impatient, waiting]));
      expect(tookMs).toBeLessThanOrEqual(500 + 2 * TRIP_MS);
    },
  );

  it('hear that a ttl has become shorter', async () => {
    const { clock, nodes, processes } = world(2);
    const [one, other] = processes as [Quorum, Quorum];
    const { value: holder } = await clock.settle(take(one));
    const waiting = take(other);
    await clock.advance(500);
    await clock.settle(holder!.extend(1000));
    for (const node of nodes) node.deaf = true; // Its end is the end of its ttl: nobody hears of a release any more.
    const { tookMs } = await clock.settle(waiting);
    expect(tookMs).toBeLessThanOrEqual(1000 + 3 * TRIP_MS);
  });

  it('are woken when an attempt is given up that they took for the holder', async () => {
    const { clock, nodes, processes } = world(2);
    const [one, other] = processes as [Quorum, Quorum];
    const controller = new AbortController();
    // Its answers are long on their way: it is cancelled after the servers have granted, before it knows.
    for (const node of nodes) node.delayMs = 80;
    const cancelled = take(one, { cancellation: new Cancellation(controller.signal) });
    await clock.advance(45);
    for (const node of nodes) node.delayMs = TRIP_MS;
    const waiting = take(other);
    await clock.advance(30);
    controller.abort(new Error('enough'));
    const { error } = await clock.settle(cancelled);
    expect(error).toMatchObject({ message: 'enough' });
    const { tookMs } = await clock.settle(waiting);
    expect(tookMs).toBeLessThanOrEqual(4 * TRIP_MS);
  });

  it('do not starve beside a process that never stops asking', async () => {
    const { clock, processes } = world(3);
    const [busy, ...patient] = processes as [Quorum, Quorum, Quorum];
    let over = false;
    const loops = Array.from({ length: 7 }, async () => {
      while (!over) await use(busy, 5);
    });
    const waits: number[] = [];
    for (let round = 0; round < 30; round++) {
      const { value } = await clock.settle(Promise.all(patient.map((quorum) => use(quorum, 5))));
      waits.push(...(value ?? []));
    }
    over = true;
    await clock.settle(Promise.all(loops));
    // Five in a row of the busy process, and the other patient one, each with a trip and 5 ms of work; and the hand-over.
    expect(Math.max(...waits)).toBeLessThanOrEqual(2 * 5 * (TRIP_MS + 5) + 10 * TRIP_MS);
  });

  it('do not starve when they are far away, beside one that is near', async () => {
    const { clock, nodes } = world(0);
    for (const node of nodes) node.delayMs = 2;
    const near = quorumOver(nodes, clock, { seed: 1 });
    const far = quorumOver(
      nodes.map((node) => new DistantNode(node, clock, 60)),
      clock,
      { seed: 2 },
    );
    const busy = { over: false };
    const loop = (async () => {
      while (!busy.over) await use(near, 50);
    })();
    for (let round = 0; round < 10; round++) {
      const { value } = await clock.settle(use(far, 5));
      // The near one leaves it alone for 4, 8, 16, 32 and 64 ms, of which the last is long enough.
      expect(value).toBeLessThanOrEqual(5 * (50 + 2 + 2) + 124 + 2 * 62);
    }
    busy.over = true;
    await clock.settle(loop);
  });

  it.each([
    [4, 5],
    [4, 2],
    [2, 1],
    [8, 1],
    [16, 2],
  ])('%i of %i waiters each wait about equally long', async (count, waiters) => {
    const { clock, processes } = world(count);
    const waits: number[] = [];
    const loops = processes.flatMap((quorum) =>
      Array.from({ length: waiters }, async () => {
        for (let round = 0; round < 20; round++) waits.push(await use(quorum, 5));
      }),
    );
    await clock.settle(Promise.all(loops), 600_000);
    const sorted = waits.toSorted((one, other) => one - other);
    expect(sorted).toHaveLength(count * waiters * 20);
    expect(sorted.at(-1)).toBeLessThan(3 * sorted[Math.floor(sorted.length / 2)]!);
  });

  it.each([4, 20, 100])('%i that come together are served one after the other, two trips apart', async (count) => {
    const { clock, processes } = world(count);
    const { value: holder } = await clock.settle(take(processes[0]!));
    const gaps: number[] = [];
    let releasedAtMs = 0;
    const all = processes.slice(1).map(async (quorum) => {
      const lock = await take(quorum);
      gaps.push(clock.nowMs() - releasedAtMs);
      await sleep(clock, 5);
      releasedAtMs = clock.nowMs();
      await lock.release();
    });
    await clock.advance(2000);
    releasedAtMs = clock.nowMs();
    await clock.settle(Promise.all([holder?.release(), ...all]));
    // Two trips, and the little by which they spread so that they need not contest it.
    expect(gaps.toSorted((one, other) => one - other)[Math.floor(gaps.length / 2)]).toBeLessThanOrEqual(2.2 * TRIP_MS);
  });
});

describe('P14: whoever the lock was handed on to in silence, and does not take it, tells the others', () => {
  /** A holder and an heir in one process, a waiter in another; how long that one waits after the release. */
  async function waitsFor(heirsWish: Wish, atRelease: () => void = () => undefined): Promise<number> {
    const { clock, processes } = world(3);
    const [one, other, third] = processes as [Quorum, Quorum, Quorum];
    const { value: holder } = await clock.settle(take(one, heirsWish.tick && { tick: heirsWish.tick }));
    await clock.settle(take(third, severalKeys('elsewhere')));
    const heir = take(one, heirsWish).catch(() => undefined);
    const waiting = take(other);
    await clock.advance(500);
    const releasedAtMs = clock.nowMs();
    const released = holder?.release();
    atRelease();
    await clock.settle(Promise.all([released, waiting]));
    void heir;
    return clock.nowMs() - releasedAtMs;
  }

  it('because it was cancelled in the same breath', async () => {
    const controller = new AbortController();
    const waitedMs = await waitsFor({ cancellation: new Cancellation(controller.signal) }, () => {
      controller.abort();
    });
    expect(waitedMs).toBeLessThanOrEqual(3 * TRIP_MS);
  });

  it('because its tick has run', async () => {
    expect(await waitsFor({ tick: { key: 'tick', ttlMs: 100_000 } })).toBeLessThanOrEqual(4 * TRIP_MS);
  });

  it('or did not stand in the same line, because it wants another key as well', async () => {
    expect(await waitsFor(severalKeys('job', 'elsewhere'))).toBeLessThanOrEqual(4 * TRIP_MS);
  });
});

describe('P14: an attempt that had a majority and no fencing token', () => {
  it('tells those who took it for the holder when it is undone', async () => {
    const { clock, nodes, processes } = world(2);
    // Two that count differently have to confirm, and the third comes too late to be counted.
    nodes.forEach((node, index) => (node.startOfCount = () => 100 * index));
    nodes[2]!.delayMs = 3 * TRIP_MS;
    const counted = { claims: [{ key: 'job', ttlMs: 10_000, counter: 'count' }] };
    const { entropy } = processes[0]!;
    const inNoHurry = { ...processes[0]!, entropy: { token: () => entropy.token(), random: () => 0.99 } };
    const first = take(inNoHurry, counted);
    await clock.advance(4);
    const second = take(processes[1]!, counted);
    await clock.advance(8);
    nodes[0]!.stall();
    const { value, tookMs } = await clock.settle(second);
    // The confirmation fails after 100 ms, and the first one stays away for as long.
    expect(tookMs).toBeLessThan(200);
    await clock.settle(value!.release());
    await clock.settle((await clock.settle(first)).value!.release());
  });
});

describe('P14: a line for several keys', () => {
  it('keeps nobody from a key that is free, also not one who holds the other', async () => {
    const { clock, processes } = world(1);
    const [quorum] = processes as [Quorum];
    const { value: a } = await clock.settle(take(quorum, severalKeys('a')));
    const both = take(quorum, severalKeys('a', 'b'));
    await clock.advance(50);
    const { value: b, tookMs } = await clock.settle(take(quorum, severalKeys('b')));
    expect(tookMs).toBeLessThanOrEqual(TRIP_MS);
    await clock.settle(Promise.all([a?.release(), b?.release(), both]));
  });

  it.each([20, 200])('is served beside those who want one of the keys for %i ms again and again', async (holdMs) => {
    const { clock, processes } = world(5);
    const busy = { over: false };
    const loops = processes.slice(0, 4).map(async (quorum, index) => {
      while (!busy.over) await use(quorum, holdMs, severalKeys(index < 2 ? 'a' : 'b'));
    });
    await clock.advance(3000);
    const { error } = await clock.settle(use(processes[4]!, 5, severalKeys('a', 'b')));
    expect(error).toBeUndefined();
    busy.over = true;
    await clock.settle(Promise.all(loops));
  });
});
