import { describe, expect, it } from '@jest/globals';
import { Cancellation } from '../../../lib/core/cancellation.js';
import { NodeQueue } from '../../../lib/core/node-queue.js';
import { QuorumUnreachableError } from '../../../lib/core/errors/index.js';
import { LockHandle } from '../../../lib/core/lock.js';
import type { LockNode, NodeReply, NodeRequest } from '../../../lib/core/ports/lock-node.js';
import { Semaphore } from '../../../lib/core/semaphore.js';
import { WaitQueue } from '../../../lib/core/wait-queue.js';
import { countElements } from '../../support/counted-work.js';
import { ModelNode } from '../../support/model-node.js';
import { acquire, keepFor, modelNodes, planFor, quorumOver } from '../../support/model-quorum.js';
import { VirtualClock } from '../../support/virtual-clock.js';

function request(kind: NodeRequest['kind'], token: string, keys = 1): NodeRequest {
  const claims = Array.from({ length: keys }, (_, index) => ({ key: `${token}:${index}`, ttlMs: 10_000 }));
  return { kind, token, owner: 'me', claims };
}

/** A node that notes its round trips, and fails those that a test wants to fail. */
function noting(node: LockNode, fails: (requests: readonly NodeRequest[]) => boolean = () => false) {
  const trips: (readonly NodeRequest[])[] = [];
  const { execute } = node;
  node.execute = (requests, onReplies, onError) => {
    trips.push(requests);
    if (fails(requests)) onError(new RangeError('too long'));
    else execute.call(node, requests, onReplies, onError);
  };
  return trips;
}

function setUp(fails?: (requests: readonly NodeRequest[]) => boolean) {
  const clock = new VirtualClock();
  const node = new ModelNode('node', clock);
  const trips = noting(node, fails);
  return { clock, node, trips, queue: new NodeQueue(node, clock, 10) };
}

describe('a queue with a long queue', () => {
  it('P5: goes through no queue to undo a request: the cost of a request does not grow with their number', async () => {
    const perRequest = async (requests: number): Promise<number> => {
      const { node, queue } = setUp();
      node.connecting();
      const elements = await countElements(() => {
        const pendingRequests = Array.from({ length: requests }, (_, index) =>
          queue.send(request('acquire', `t${index}`)),
        );
        for (const pending of pendingRequests.toReversed()) {
          queue.withdraw(pending);
          queue.send(request('release', pending.request.token));
        }
        return Promise.resolve();
      });
      return elements / requests;
    };
    expect(await perRequest(10_000)).toBeLessThanOrEqual((await perRequest(100)) + 1);
  });

  it('P6: sends extensions and releases of locks that are held before new requests', async () => {
    const { clock, node, trips, queue } = setUp();
    queue.send(request('acquire', 'held'));
    queue.send(request('acquire', 'done'));
    await clock.advance(0);
    node.connecting();
    for (let index = 0; index < 1000; index++) queue.send(request('acquire', `new${index}`));
    queue.send(request('extend', 'held'));
    queue.send(request('release', 'done'));
    node.connect();
    await clock.advance(0);
    expect(trips[1]!.slice(0, 3).map(({ kind, token }) => `${kind} ${token}`)).toEqual([
      'extend held',
      'release done',
      'acquire new0',
    ]);
    expect(trips).toHaveLength(12);
  });

  it('P1: drops an acquire that has not left when its lock is extended: it would shorten the ttl again', async () => {
    const { clock, node, queue } = setUp();
    node.connecting();
    queue.send(request('acquire', 't'));
    queue.send(request('extend', 't'));
    node.connect();
    await clock.advance(0);
    expect(node.arrived.map(({ kind }) => kind)).toEqual(['extend']);
  });

  it('P5: keeps to a limit of claims in a round trip, and one request that is larger travels alone', async () => {
    const { clock, trips, queue } = setUp();
    for (let index = 0; index < 10; index++) queue.send(request('acquire', `t${index}`, 400));
    queue.send(request('acquire', 'large', 5000));
    queue.send(request('acquire', 'small'));
    await clock.advance(0);
    expect(trips.map((requests) => requests.length)).toEqual([2, 2, 2, 2, 2, 1, 1]);
  });

  it('P11, P17: a request that no round trip survives does not fail the others for longer than one trip', async () => {
    const { clock, node, trips, queue } = setUp((requests) =>
      requests.some(({ kind, token }) => kind === 'release' && token === 'poison'),
    );
    for (const token of ['poison', 'one', 'two']) queue.send(request('acquire', token));
    await clock.advance(0);
    for (const token of ['poison', 'one', 'two']) queue.send(request('release', token));
    await clock.advance(0);
    const replies: NodeReply[] = [];
    for (let round = 0; round < 30; round++) {
      queue.send(request('acquire', `later${round}`), (reply) => replies.push(reply));
      await clock.advance(1000);
    }
    expect(replies.map(({ outcome }) => outcome)).toEqual(Array(30).fill('granted'));
    expect(node.keys.filter((key) => /one|two/.test(key))).toEqual([]);
    const tried = trips.filter((requests) => requests.some(({ token }) => token === 'poison')).slice(2);
    expect(tried.map((requests) => requests.length)).toEqual(Array(tried.length).fill(1));
    expect(tried.length).toBeLessThanOrEqual(11); // once a second, until its ttl is over
  });
});

describe('a rush of requests', () => {
  async function rush(calls: number, waitMs: number) {
    const clock = new VirtualClock();
    const nodes = modelNodes(3, clock);
    for (const node of nodes) node.delayMs = 100;
    const quorum = quorumOver(nodes, clock, { maxConcurrency: 5, nodeTimeoutMs: 500 });
    const plan = planFor({ key: 'held', ttlMs: 2000 });
    const { value: grant } = await clock.settle(acquire(quorum, plan));
    const held = new LockHandle(quorum, plan, grant!, keepFor({ autoExtend: true }));
    let granted = 0;
    let refused = 0;
    const asked = Array.from({ length: calls }, (_, index) =>
      acquire(quorum, planFor({ key: `row:${index}`, ttlMs: 10_000, waitMs })).then(
        () => granted++,
        (error: unknown) => {
          expect(error).toBeInstanceOf(QuorumUnreachableError);
          refused++;
        },
      ),
    );
    const { tookMs } = await clock.settle(Promise.all(asked));
    return { granted, refused, tookMs, isHeld: held.isHeld() };
  }

  it('P5: is served as fast as the servers answer, one full round trip after the other', async () => {
    // A hundred requests leave each 100 ms: the last of them after longer than a node timeout, which has not begun for them before.
    const { tookMs, ...result } = await rush(1000, 10_000);
    expect(result).toEqual({ granted: 1000, refused: 0, isHeld: true });
    expect(tookMs).toBeLessThanOrEqual(1300);
  });

  it('P5, P6: is refused in time where it cannot be served in time, and costs the process none of its locks', async () => {
    const { granted, refused, tookMs, isHeld } = await rush(4000, 2000);
    expect(granted).toBeGreaterThanOrEqual(2000);
    expect(granted + refused).toBe(4000);
    expect(tookMs).toBeLessThanOrEqual(2000 + 2 * 500);
    expect(isHeld).toBe(true);
  });

  it('P7: says that this process is too busy, for each server', async () => {
    const clock = new VirtualClock();
    const nodes = modelNodes(3, clock);
    const quorum = quorumOver(nodes, clock, { maxConcurrency: 5 });
    for (const node of nodes) node.stall();
    const asked = Array.from({ length: 201 }, (_, index) =>
      acquire(quorum, planFor({ key: `row:${index}` })).catch((error: unknown) => error as Error),
    );
    const { value, tookMs } = await clock.settle(Promise.all(asked));
    expect((value!.at(-1) as Error).message).toContain('node-3: not asked, because this process had too many requests');
    expect(tookMs).toBeLessThanOrEqual(200);
  });
});

describe('many waiters for one key', () => {
  it('P14: come and go at a cost that does not grow with their number', async () => {
    const perWaiter = async (waiters: number): Promise<number> => {
      const room = new WaitQueue(new VirtualClock());
      const elements = await countElements(() => {
        const turns = Array.from({ length: waiters }, () => room.enter([{ key: 'job' }]));
        for (const turn of turns.splice(waiters / 2).reverse()) turn.leave();
        for (const turn of turns) turn.leave();
        return Promise.resolve();
      });
      return elements / waiters;
    };
    expect(await perWaiter(10_000)).toBeLessThanOrEqual((await perWaiter(100)) + 1);
  });

  it('P14: are called in the order in which they came, whichever of them leave', () => {
    const room = new WaitQueue(new VirtualClock());
    const turns = Array.from({ length: 6 }, () => room.enter([{ key: 'job' }]));
    const begun = (): number[] => turns.flatMap((turn, index) => (turn.begun === undefined ? [] : [index]));
    expect(begun()).toEqual([0]);
    turns[1]!.leave();
    turns[5]!.leave();
    turns[0]!.leave();
    turns[0]!.leave();
    expect(begun()).toEqual([0, 2]);
    expect(room.next(turns[2]!)).toBe(turns[3]);
    expect(room.next(turns[3]!)).toBeUndefined();
    for (const turn of turns) turn.leave();
    const later = room.enter([{ key: 'job' }]);
    expect(later.begun).toBeDefined();
  });
});

describe('many waiters whose wait ends at once', () => {
  it.each(['this process', 'another process'])(
    'P5, P7: are told that %s holds the lock, and do not all ask',
    async (by) => {
      const clock = new VirtualClock();
      const nodes = modelNodes(3, clock);
      for (const node of nodes) node.delayMs = 100;
      const quorum = quorumOver(nodes, clock, { maxConcurrency: 1, nodeTimeoutMs: 500, owner: 'here:1' });
      if (by === 'this process') await clock.settle(acquire(quorum, planFor({ ttlMs: 100_000, waitMs: 1000 })));
      else for (const node of nodes) node.plant('job', 'other', 100_000, 'there:1');
      const asked = Array.from({ length: 3000 }, () =>
        acquire(quorum, planFor({ ttlMs: 10_000, waitMs: 2000 })).catch((error: unknown) => error),
      );
      const { value, tookMs } = await clock.settle(Promise.all(asked));
      expect(tookMs).toBeLessThanOrEqual(2000 + 2 * 500);
      for (const error of value ?? []) {
        const owner = by === 'this process' ? 'here:1' : 'there:1';
        expect(error).toMatchObject({ code: 'LOCK_CONTENDED', owner, undecided: false });
        expect((error as { remainingMs: number }).remainingMs).toBeGreaterThan(90_000);
        expect((error as { votes: unknown[] }).votes).toHaveLength(3);
      }
      expect(nodes[0]!.arrived.filter(({ kind }) => kind === 'acquire').length).toBeLessThan(50);
    },
  );
});

describe('a semaphore', () => {
  /** Resolves to whether the permits were granted. */
  const acquire = (semaphore: Semaphore, permits: number, ms: number, cancellation?: Cancellation): Promise<boolean> =>
    new Promise((onPermits, onCancelled) => {
      semaphore.acquire(permits, ms, { onPermits, onCancelled }, cancellation);
    });

  it('gives its permits out in the order in which they were asked for', async () => {
    const clock = new VirtualClock();
    const semaphore = new Semaphore(clock, 3);
    const order: string[] = [];
    const ask = async (name: string, permits: number): Promise<void> => {
      if (await acquire(semaphore, permits, 1000)) order.push(name);
    };
    const all = [ask('a', 2), ask('b', 2), ask('c', 1), ask('too many', 9)];
    await clock.advance(0);
    expect(order).toEqual(['a']); // c would fit, and waits behind b
    semaphore.release(2);
    await clock.advance(0);
    expect(order).toEqual(['a', 'b', 'c']);
    semaphore.release(2);
    semaphore.release(1);
    await clock.advance(0);
    expect(order).toEqual(['a', 'b', 'c', 'too many']);
    await Promise.all(all);
    expect(clock.pending).toBe(0);
  });

  it('P5: gives up when the time is over or the signal aborts, and loses no permit by that', async () => {
    const clock = new VirtualClock();
    const semaphore = new Semaphore(clock, 1);
    const cancel = new Cancellation();
    expect(semaphore.tryAcquire(1)).toBe(true);
    expect(await clock.settle(acquire(semaphore, 1, 70))).toEqual({ value: false, tookMs: 70 });
    const cancelled = clock.settle(acquire(semaphore, 1, 1000, cancel));
    const granted = acquire(semaphore, 1, 1000);
    cancel.cancel('enough');
    expect(await cancelled).toMatchObject({ error: 'enough', tookMs: 0 });
    const both = new Cancellation();
    const late = clock.settle(acquire(semaphore, 1, 1000, both));
    semaphore.release(1);
    expect(await granted).toBe(true);
    semaphore.release(1); // Granted to the last one, which is cancelled too late: it has the permit to give back.
    both.cancel('enough');
    expect(await late).toMatchObject({ value: true });
    semaphore.release(1);
    expect(semaphore.tryAcquire(1)).toBe(true);
    expect(clock.pending).toBe(0);
  });

  it('P16: grants to 100,000 that give their permits back at once, one after the other', async () => {
    const semaphore = new Semaphore(new VirtualClock(), 1);
    let granted = 0;
    const waiter = {
      onPermits: (isGranted: boolean): void => {
        granted += Number(isGranted);
        semaphore.release(1);
      },
      onCancelled: () => undefined,
    };
    expect(semaphore.tryAcquire(1)).toBe(true);
    for (let each = 0; each < 100_000; each++) semaphore.acquire(1, Infinity, waiter);
    semaphore.release(1);
    await new Promise(setImmediate);
    expect(granted).toBe(100_000);
    expect(semaphore.tryAcquire(1)).toBe(true);
  });
});
