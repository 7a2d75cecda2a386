import { describe, expect, it } from '@jest/globals';
import { LockHandle } from '../../../lib/core/lock.js';
import type { Quorum } from '../../../lib/core/quorum.js';
import { DistantNode } from '../../support/distant-node.js';
import type { ModelNode } from '../../support/model-node.js';
import { acquire, keepFor, modelNodes, planFor, quorumOver, SeededEntropy } from '../../support/model-quorum.js';
import { VirtualClock } from '../../support/virtual-clock.js';

const TTL_MS = 400;
const plan = planFor({ claims: [{ key: 'job', ttlMs: TTL_MS, counter: 'count' }], ttlMs: TTL_MS });

async function lock(clock: VirtualClock, quorum: Quorum): Promise<LockHandle> {
  const { value, error } = await clock.settle(acquire(quorum, plan));
  if (value === undefined) throw error;
  return new LockHandle(quorum, plan, value, keepFor());
}

/** How many histories; `npm run test:long` has more. */
const SEEDS = Number(process.env.REDLOCK_RUNS ?? 6);

describe('P2: the fencing token', () => {
  it('is one more with each grant, for one round trip each in the steady state', async () => {
    const clock = new VirtualClock();
    const nodes = modelNodes(5, clock);
    const quorum = quorumOver(nodes, clock);
    const tokens: number[] = [];
    for (let index = 0; index < 10; index++) {
      const held = await lock(clock, quorum);
      tokens.push(held.fencingToken);
      await clock.settle(held.release());
    }
    expect(tokens).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(nodes[0]?.arrived.map(({ kind }) => kind)).toEqual(Array(10).fill(['acquire', 'release']).flat());
  });

  it('P18: is agreed on in one round trip for a key that was never locked before, with servers and process apart', async () => {
    const clock = new VirtualClock();
    const nodes = modelNodes(5, clock);
    const quorum = quorumOver(nodes, clock, { timeOfDay: true });
    // Their own time of day, to the minute, seconds before and after that of the process.
    nodes.forEach((node, index) => {
      node.startOfCount = () => Math.floor((clock.wallMs() + 500 * (index - 2)) / 60_000) * 60_000_000;
    });
    const beganAtUs = clock.wallMs() * 1000;
    const tokens: number[] = [];
    for (let order = 0; order < 20; order++) {
      const counted = { ...plan, claims: [{ key: `order:${order}`, ttlMs: TTL_MS, counter: `count ${order}` }] };
      const { value } = await clock.settle(acquire(quorum, counted));
      tokens.push(value!.fence);
      await clock.settle(new LockHandle(quorum, counted, value!, keepFor()).release());
      await clock.advance(100);
    }
    for (const node of nodes) expect(node.trips).toBe(2 * 20);
    expect(Math.min(...tokens)).toBeGreaterThan(beganAtUs);
    expect(tokens.toSorted((one, other) => one - other)).toEqual(tokens);
  });

  it('of a key that was forgotten is larger than the last one, also when the clock of the process was set back', async () => {
    const clock = new VirtualClock();
    const nodes = modelNodes(3, clock);
    const quorum = quorumOver(nodes, clock, { timeOfDay: true });
    const first = await lock(clock, quorum);
    await clock.settle(first.release());
    for (const node of nodes) node.flush();
    clock.suspend(-3_600_000);
    expect((await lock(clock, quorum)).fencingToken).toBeGreaterThan(first.fencingToken);
  });

  it('is written back to the counted servers where their counts have drifted apart', async () => {
    const clock = new VirtualClock();
    const nodes = modelNodes(3, clock);
    nodes.forEach((node, index) => (node.startOfCount = () => index * 100));
    const held = await lock(clock, quorumOver(nodes, clock));
    expect(held.fencingToken).toBe(101);
    expect(nodes.map((node) => node.counterOf('count'))).toEqual([101, 101, 201]);
    await clock.settle(held.release());
    expect((await lock(clock, quorumOver(nodes, clock))).fencingToken).toBe(102);
  });

  it('P4: is agreed on in a second try when a counted server dies between the two round trips', async () => {
    const clock = new VirtualClock();
    const nodes = modelNodes(3, clock);
    nodes.forEach((node, index) => {
      node.startOfCount = () => index * 100;
      node.delayMs = 10 + index;
    });
    const asked = clock.settle(acquire(quorumOver(nodes, clock), plan));
    clock.after(12, () => {
      nodes[0]?.disconnect();
    });
    const { value } = await asked;
    expect(value?.fence).toBeGreaterThan(200);
  });

  it('says that a server did not have the lock any more, where it was gone before its token was confirmed', async () => {
    const clock = new VirtualClock();
    const nodes = modelNodes(3, clock);
    nodes.forEach((node, index) => {
      node.startOfCount = () => index * 100;
      node.delayMs = 10;
    });
    const asked = clock.settle(acquire(quorumOver(nodes, clock), { ...plan, waitMs: 0, maxRetries: 0 }));
    clock.after(12, () => {
      for (const node of nodes) node.flush();
    });
    const { error } = await asked;
    expect((error as Error).message).toMatch(
      /fewer than 2 of 3 servers confirmed the lock, and \d did not have it any more/,
    );
  });

  it('goes on above what a healed server has forgotten', async () => {
    const clock = new VirtualClock();
    const nodes = modelNodes(3, clock);
    nodes.forEach((node) => (node.startOfCount = () => 500));
    const quorum = quorumOver(nodes, clock);
    const held = await lock(clock, quorum);
    nodes[0]?.flush();
    nodes.forEach((node) => (node.startOfCount = () => 0));
    await clock.settle(held.extend());
    await clock.advance(0);
    expect(nodes[0]?.counterOf('count')).toBe(held.fencingToken);
  });

  it('is 0 without counters', async () => {
    const clock = new VirtualClock();
    const { value } = await clock.settle(acquire(quorumOver(modelNodes(3, clock), clock), planFor()));
    expect(value?.fence).toBe(0);
  });

  it.each([
    [3, 3],
    [4, 3],
    [5, 4],
  ])(
    'grows in the order of grants: %i servers, %i clients that stall, die and come late, random histories',
    async (servers, clients) => {
      let grants = 0;
      for (let seed = 1; seed <= SEEDS; seed++) grants += await history(servers, clients, seed);
      expect(grants).toBeGreaterThan(7 * SEEDS);
    },
  );
});

interface Grant {
  readonly askedAtMs: number;
  readonly grantedAtMs: number;
  readonly fence: number;
}

/** Clients take and leave the lock, while servers break off, stall and come back with their data. */
async function history(servers: number, clients: number, seed: number): Promise<number> {
  const clock = new VirtualClock();
  const nodes = modelNodes(servers, clock);
  const chance = new SeededEntropy(seed);
  nodes.forEach((node) => {
    const start = Math.floor(chance.random() * 5);
    node.startOfCount = () => start;
  });
  const until = clock.nowMs() + 8000;
  const grants: Grant[] = [];
  const done: Promise<void>[] = [breakThings(clock, nodes, chance, until)];
  for (let index = 0; index < clients; index++) done.push(client(index));
  await clock.settle(Promise.all(done));

  for (const one of grants) {
    for (const other of grants) {
      if (one.grantedAtMs < other.askedAtMs && other.fence <= one.fence) {
        throw new Error(`Seed ${seed}, ${servers} servers: ${JSON.stringify(one)} and then ${JSON.stringify(other)}`);
      }
    }
  }
  expect(new Set(grants.map(({ fence }) => fence)).size).toBe(grants.length);
  return grants.length;

  async function client(index: number): Promise<void> {
    const distant = nodes.map((node) => new DistantNode(node, clock, chance.random() * 30));
    const quorum = quorumOver(distant, clock, { seed: seed * 100 + index, owner: `c${index}` });
    while (clock.nowMs() < until) {
      const askedAtMs = clock.nowMs();
      const granted = await acquire(quorum, { ...plan, waitMs: 500 }).catch(() => undefined);
      if (granted !== undefined) {
        grants.push({ askedAtMs, grantedAtMs: clock.nowMs(), fence: granted.fence });
        const held = new LockHandle(quorum, plan, granted, keepFor({ autoExtend: chance.random() < 0.3 }));
        await pause(clock, chance.random() * TTL_MS * (chance.random() < 0.2 ? 2 : 0.3));
        // Who dies does not release, but its ttl ends.
        if (chance.random() < 0.7) await held.release().catch(() => undefined);
        else await held.lose('expired');
      }
      await pause(clock, chance.random() * 60);
    }
  }
}

async function breakThings(
  clock: VirtualClock,
  nodes: ModelNode[],
  chance: SeededEntropy,
  until: number,
): Promise<void> {
  while (clock.nowMs() < until) {
    await pause(clock, chance.random() * 150);
    const node = nodes[Math.floor(chance.random() * nodes.length)]!;
    const stall = chance.random() < 0.5;
    if (stall) node.stall();
    else node.disconnect(new Error('ECONNRESET'), chance.random() < 0.5);
    await pause(clock, chance.random() * 300);
    if (stall) node.resume();
    else node.connect();
  }
}

function pause(clock: VirtualClock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(ms, resolve);
  });
}
