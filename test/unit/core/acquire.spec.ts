import { describe, expect, it } from '@jest/globals';
import type { Grant } from '../../../lib/core/grant.js';
import { Cancellation } from '../../../lib/core/cancellation.js';
import { LockContendedError, QuorumUnreachableError } from '../../../lib/core/errors/index.js';
import type { LockNode } from '../../../lib/core/ports/lock-node.js';
import { DistantNode } from '../../support/distant-node.js';
import type { ModelNode } from '../../support/model-node.js';
import { acquire, modelNodes, planFor, quorumOver, SeededEntropy } from '../../support/model-quorum.js';
import { VirtualClock } from '../../support/virtual-clock.js';

function setUp(servers: number): { clock: VirtualClock; nodes: ModelNode[] } {
  const clock = new VirtualClock();
  return { clock, nodes: modelNodes(servers, clock) };
}

function plantAll(nodes: readonly ModelNode[], ttlMs = 1000, token = 'other'): void {
  for (const node of nodes) node.plant('job', token, ttlMs, 'other-host:1');
}

describe('acquire', () => {
  it('P6: counts validity from before the first request was sent', async () => {
    const { clock, nodes } = setUp(3);
    for (const node of nodes) node.delayMs = 30;
    const startedAtMs = clock.nowMs();
    const { value, tookMs } = await clock.settle(acquire(quorumOver(nodes, clock), planFor({ ttlMs: 1000 })));
    expect(tookMs).toBe(30);
    expect(value?.deadlineAtMs).toBe(startedAtMs + 1000 - 12);
  });

  it.each([1, 2, 3, 4, 5])('P4: of %i servers a dead, stalled or slow minority costs nothing', async (servers) => {
    const minority = Math.ceil(servers / 2) - 1;
    for (const fault of ['down', 'stalled', 'slow'] as const) {
      const { clock, nodes } = setUp(servers);
      for (const node of nodes) node.delayMs = 5;
      for (const node of nodes.slice(0, minority)) {
        if (fault === 'down') node.disconnect();
        else if (fault === 'stalled') node.stall();
        else node.delayMs = 90;
      }
      const { value, tookMs } = await clock.settle(acquire(quorumOver(nodes, clock), planFor()));
      expect(value).toBeDefined();
      expect(tookMs).toBe(5);
    }
  });

  it.each([2, 3, 4, 5])(
    'P5: of %i servers, with no majority answering, rejects within one node timeout and says why',
    async (servers) => {
      const { clock, nodes } = setUp(servers);
      const stalled = nodes.slice(0, Math.ceil(servers / 2));
      for (const node of stalled) node.stall();
      const { error, tookMs } = await clock.settle(acquire(quorumOver(nodes, clock), planFor()));
      expect(error).toBeInstanceOf(QuorumUnreachableError);
      for (const { name } of stalled) expect((error as Error).message).toContain(`${name}: no answer within 100 ms`);
      expect(tookMs).toBe(100);

      for (const node of stalled) node.resume();
      await clock.advance(100);
      for (const node of nodes) expect(node.keys).toEqual([]); // P11
    },
  );

  it('P7: says who holds the lock and for how much longer, at once when wait is 0', async () => {
    const { clock, nodes } = setUp(5);
    plantAll(nodes.slice(0, 3), 700);
    const { error, tookMs } = await clock.settle(acquire(quorumOver(nodes, clock), planFor()));
    expect(error).toBeInstanceOf(LockContendedError);
    expect(error).toMatchObject({ owner: 'other-host:1', remainingMs: 700, keys: ['job'] });
    expect(tookMs).toBe(0);
    await clock.advance(1);
    expect(nodes.map((node) => node.tokenAt('job'))).toEqual(['other', 'other', 'other', undefined, undefined]);
  });

  it('P7: takes two of four votes with one holder for held when the others tell so, although they come later', async () => {
    const { clock, nodes } = setUp(4);
    plantAll(nodes.slice(0, 3));
    nodes.forEach((node, index) => (node.delayMs = 10 + index * 5));
    const { error, tookMs } = await clock.settle(acquire(quorumOver(nodes, clock), planFor()));
    expect(error).toBeInstanceOf(LockContendedError);
    expect(tookMs).toBe(20);
  });

  it.each([
    ['two servers', [1, 4], 0],
    ['four servers', [1, 1, 4, 4], 0],
    ['three servers, one of them down', [1, 4, 0], 1],
    ['five servers, two of them down', [1, 1, 4, 0, 0], 2],
  ])(
    'P4, P7: a held lock is found held with the first question, although some are further away: %s',
    async (_, delays, down) => {
      const { clock, nodes } = setUp(delays.length);
      plantAll(nodes, 60_000);
      nodes.forEach((node, index) => (node.delayMs = delays[index]!));
      for (const node of nodes.slice(nodes.length - down)) node.disconnect();
      const quorum = quorumOver(nodes, clock, { nodeTimeoutMs: 500 });
      const { error, tookMs } = await clock.settle(acquire(quorum, planFor({ ttlMs: 10_000 })));
      expect((error as Error).message).toContain('is locked by other-host:1');
      expect(tookMs).toBeLessThan(20);
      expect(nodes[0]!.arrived.filter(({ kind }) => kind === 'acquire')).toHaveLength(1);
    },
  );

  it('waits for a holder no longer than the holder has left', async () => {
    const { clock, nodes } = setUp(3);
    plantAll(nodes, 30);
    const rules = { retryDelayMs: 5000, maxRetryDelayMs: 5000 };
    const { value, tookMs } = await clock.settle(acquire(quorumOver(nodes, clock, rules), planFor({ waitMs: 10_000 })));
    expect(value).toBeDefined();
    expect(tookMs).toBeLessThanOrEqual(31);
  });

  it('P5: gives up when the wait is over, and not before', async () => {
    const { clock, nodes } = setUp(3);
    plantAll(nodes, 100_000);
    for (const node of nodes) node.delayMs = 10;
    const { error, tookMs } = await clock.settle(acquire(quorumOver(nodes, clock), planFor({ waitMs: 2000 })));
    expect(error).toBeInstanceOf(LockContendedError);
    expect(tookMs).toBeGreaterThanOrEqual(2000);
    expect(tookMs).toBeLessThanOrEqual(2000 + 200);
  });

  it('tries no more often than maxRetries allows', async () => {
    const { clock, nodes } = setUp(1);
    plantAll(nodes, 100_000);
    await clock.settle(acquire(quorumOver(nodes, clock), planFor({ waitMs: 60_000, maxRetries: 2 })));
    expect(nodes[0]?.trips).toBe(3);
  });

  it('keeps trying while no majority answers, and gets the lock once one does', async () => {
    const { clock, nodes } = setUp(3);
    for (const node of nodes) node.disconnect();
    const asked = clock.settle(acquire(quorumOver(nodes, clock), planFor({ waitMs: 10_000 })));
    clock.after(1500, () => {
      for (const node of nodes) node.connect();
    });
    expect((await asked).value).toBeDefined();
  });

  it('P11: gives back what it got when it does not get a majority', async () => {
    const { clock, nodes } = setUp(5);
    plantAll(nodes.slice(0, 3), 100_000);
    await clock.settle(acquire(quorumOver(nodes, clock), planFor()));
    await clock.advance(10);
    expect(nodes.map((node) => node.tokenAt('job'))).toEqual(['other', 'other', 'other', undefined, undefined]);
  });

  it('P11: undoes a grant that arrives after the attempt was decided', async () => {
    const { clock, nodes } = setUp(3);
    plantAll(nodes.slice(0, 2), 100_000);
    nodes[2]!.delayMs = 90;
    await clock.settle(acquire(quorumOver(nodes, clock), planFor()));
    await clock.advance(1000);
    expect(nodes[2]?.arrived.map(({ kind }) => kind)).toEqual(['acquire', 'release']);
    expect(nodes[2]?.keys).toEqual([]);
  });

  it('lets a late grant join a lock that was won', async () => {
    const { clock, nodes } = setUp(3);
    nodes[2]!.delayMs = 90;
    const { value } = await clock.settle(acquire(quorumOver(nodes, clock), planFor()));
    await clock.advance(100);
    expect(nodes.map((node) => node.tokenAt('job'))).toEqual(Array(3).fill(value?.token));
  });

  it('P6: hands nothing out when the validity was over before it was known, and asks once more, whatever the wait', async () => {
    for (const stalls of [1, 2]) {
      const { clock, nodes } = setUp(3);
      for (const node of nodes) node.delayMs = 4;
      const asked = acquire(quorumOver(nodes, clock), planFor({ ttlMs: 20 }));
      // The event loop stands still while the answers come in.
      for (const atMs of [3, 56].slice(0, stalls)) clock.after(atMs, () => clock.stall(50));
      const { value, error } = await clock.settle(asked);
      if (stalls === 1) expect(value!.deadlineAtMs).toBeGreaterThan(clock.nowMs());
      else expect((error as Error).message).toMatch(/only after the lock's validity had ended/);
      await clock.advance(30);
      for (const node of nodes) expect(node.keys).toEqual([]);
    }
  });

  it('rejects with the reason of its signal, at once, and undoes what it had begun', async () => {
    const { clock, nodes } = setUp(3);
    for (const node of nodes) node.delayMs = 50;
    const cancel = new AbortController();
    const asked = clock.settle(
      acquire(quorumOver(nodes, clock), planFor({ waitMs: 5000, cancellation: new Cancellation(cancel.signal) })),
    );
    clock.after(30, () => {
      cancel.abort('enough');
    });
    const { error, tookMs } = await asked;
    expect(error).toBe('enough');
    expect(tookMs).toBe(30);
    await clock.advance(100);
    for (const node of nodes) expect(node.keys).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  it('rejects with the reason of its signal while it waits between two rounds', async () => {
    const { clock, nodes } = setUp(3);
    plantAll(nodes, 100_000);
    const cancel = new AbortController();
    const asked = clock.settle(
      acquire(quorumOver(nodes, clock), planFor({ waitMs: 60_000, cancellation: new Cancellation(cancel.signal) })),
    );
    clock.after(5000, () => {
      cancel.abort('enough');
    });
    expect(await asked).toMatchObject({ error: 'enough', tookMs: 5000 });
    expect(clock.pending).toBe(0);
  });

  it('P11: sends a server that it won without nothing after its time, while the lock is held', async () => {
    const clock = new VirtualClock();
    const nodes = modelNodes(3, clock);
    nodes[2]!.connecting();
    const { value } = await clock.settle(acquire(quorumOver(nodes, clock), planFor({ ttlMs: 10_000 })));
    expect(value).toBeDefined();
    await clock.advance(600);
    nodes[2]!.connect();
    await clock.advance(10);
    expect(nodes[2]!.arrived).toEqual([]);
  });

  it('sends nothing when its signal had aborted before', async () => {
    const { clock, nodes } = setUp(3);
    const { error } = await clock.settle(
      acquire(quorumOver(nodes, clock), planFor({ cancellation: new Cancellation(AbortSignal.abort('before')) })),
    );
    expect(error).toBe('before');
    expect(nodes.map(({ trips }) => trips)).toEqual([0, 0, 0]);
  });

  it('leaves no timer behind', async () => {
    const { clock, nodes } = setUp(5);
    nodes[4]!.stall();
    await clock.settle(acquire(quorumOver(nodes, clock), planFor()));
    await clock.advance(100);
    expect(clock.pending).toBe(0);
  });
});

describe('acquire with a tick', () => {
  const plan = planFor({ waitMs: 5000, tick: { key: 'tick', ttlMs: 60_000 } });

  it('P8: claims the tick together with the key', async () => {
    const { clock, nodes } = setUp(3);
    await clock.settle(acquire(quorumOver(nodes, clock), plan));
    for (const node of nodes) expect(node.keys).toEqual(['job', 'tick']);
    expect(nodes[0]?.ttlOf('tick')).toBe(60_000);
  });

  it('P8: is contended at once when the tick has been claimed, whatever the wait', async () => {
    const { clock, nodes } = setUp(3);
    for (const node of nodes) node.plant('tick', 'other', 50_000, 'other-host:1');
    const { error, tookMs } = await clock.settle(acquire(quorumOver(nodes, clock), plan));
    expect(error).toMatchObject({
      code: 'LOCK_CONTENDED',
      message: 'This tick of "job" has been claimed by other-host:1.',
    });
    expect(tookMs).toBe(0);
    await clock.advance(10);
    for (const node of nodes) expect(node.keys).toEqual(['tick']);
  });

  it('P8: a tick that a replica has claimed and gives back is run by the next', async () => {
    const { clock, nodes } = setUp(3);
    const far = nodes.map((node) => new DistantNode(node, clock, 600)); // further than the node timeout
    const run = (from: LockNode[], owner: string, seed: number): Promise<string> =>
      acquire(quorumOver(from, clock, { owner, seed, nodeTimeoutMs: 500 }), {
        ...plan,
        waitMs: 1000,
        ttlMs: 10_000,
      }).then(
        () => 'runs',
        (error: unknown) => (error as Error).message,
      );
    const both = [run(far, 'a', 1)];
    await clock.advance(310);
    both.push(run(nodes, 'b', 2));
    await clock.advance(60_000);
    expect(await Promise.all(both)).toContain('runs');
  });

  it('P11: takes back the tick, too, when it does not get the lock', async () => {
    const { clock, nodes } = setUp(3);
    plantAll(nodes.slice(0, 2), 100_000);
    await clock.settle(acquire(quorumOver(nodes, clock), { ...plan, waitMs: 0 }));
    await clock.advance(10);
    expect(nodes[2]?.keys).toEqual([]);
  });
});

describe('contenders that come in the same instant', () => {
  interface Scene {
    readonly broken?: number;
    readonly fault?: 'dead' | 'stalled' | 'connecting';
    readonly nodeTimeoutMs?: number;
    readonly tripMs?: (contender: number, server: number, servers: number) => number;
  }

  function farFromAllButOne(contender: number, server: number, servers: number): number {
    return server === contender % servers ? 1 : 20;
  }

  async function contend(
    servers: number,
    contenders: number,
    seed: number,
    { broken = 0, fault = 'dead', nodeTimeoutMs = 500, tripMs = farFromAllButOne }: Scene = {},
  ): Promise<{ wins: number; tookMs: number }> {
    const { clock, nodes } = setUp(servers);
    for (const node of nodes.slice(servers - broken)) {
      if (fault === 'dead') node.disconnect();
      else if (fault === 'stalled') node.stall();
      else node.connecting();
    }
    const attempts = Array.from({ length: contenders }, (_, index) => {
      const distant = nodes.map((node, at) => new DistantNode(node, clock, tripMs(index, at, servers)));
      const quorum = quorumOver(distant, clock, { owner: `c${index}`, seed: seed * 100 + index, nodeTimeoutMs });
      return acquire(quorum, planFor({ ttlMs: 10_000 })).catch((error: unknown) => {
        expect(error).toBeInstanceOf(LockContendedError);
        return undefined;
      });
    });
    const { value, tookMs } = await clock.settle(Promise.all(attempts));
    const grants = (value ?? []).filter((grant): grant is Grant => grant !== undefined);
    await clock.advance(100);
    const carried = nodes.map((node) => node.tokenAt('job')).filter((token) => token !== undefined);
    expect([...new Set(carried)]).toEqual([grants[0]?.token]);
    expect(carried.length).toBeGreaterThan(servers / 2);
    return { wins: grants.length, tookMs };
  }

  it.each([2, 3, 4, 5, 6, 7])(
    'P7: of any number of them one wins, with %i servers and a wait of 0',
    async (servers) => {
      for (const contenders of [2, 3, 5, 10]) {
        for (let seed = 1; seed <= 10; seed++) {
          const { wins, tookMs } = await contend(servers, contenders, seed);
          expect({ servers, contenders, seed, wins }).toEqual({ servers, contenders, seed, wins: 1 });
          expect(tookMs).toBeLessThanOrEqual(1000);
        }
      }
    },
  );

  it.each(['dead', 'stalled', 'connecting'] as const)(
    'P7: one wins also while a minority of the servers is %s',
    async (fault) => {
      for (const [servers, broken] of [
        [3, 1],
        [4, 1],
        [5, 1],
        [5, 2],
      ] as const) {
        for (const contenders of [2, 3, 5]) {
          for (let seed = 1; seed <= 20; seed++) {
            const { wins, tookMs } = await contend(servers, contenders, seed, { broken, fault });
            expect({ servers, contenders, seed, wins }).toEqual({ servers, contenders, seed, wins: 1 });
            expect(tookMs).toBeLessThanOrEqual(1000);
          }
        }
      }
    },
  );

  it.each(['dead', 'stalled'] as const)(
    'P7: one wins within a node timeout of fifteen trips, and a minority of the servers is %s',
    async (fault) => {
      for (const [servers, broken] of [
        [3, 1],
        [4, 1],
        [5, 2],
        [6, 2],
      ] as const) {
        for (const contenders of [2, 3, 5, 10]) {
          for (let seed = 1; seed <= 20; seed++) {
            const entropy = new SeededEntropy(seed);
            const tripMs = (): number => 1 + 4 * entropy.random();
            const scene = { broken, fault, nodeTimeoutMs: 75, tripMs };
            const { wins, tookMs } = await contend(servers, contenders, seed, scene);
            expect({ servers, contenders, seed, wins }).toEqual({ servers, contenders, seed, wins: 1 });
            expect(tookMs).toBeLessThanOrEqual(150);
          }
        }
      }
    },
  );
});
