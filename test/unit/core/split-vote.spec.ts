import { describe, expect, it } from '@jest/globals';
import { LockContendedError, QuorumUnreachableError } from '../../../lib/core/errors/index.js';
import type { AcquirePlan } from '../../../lib/core/acquire.js';
import type { ModelNode } from '../../support/model-node.js';
import { acquire, modelNodes, planFor, quorumOver } from '../../support/model-quorum.js';
import { VirtualClock } from '../../support/virtual-clock.js';

interface Scene {
  readonly clock: VirtualClock;
  readonly nodes: ModelNode[];
  readonly ask: (plan?: Partial<AcquirePlan>, seed?: number) => ReturnType<typeof settleAcquire>;
}

function settleAcquire(scene: Pick<Scene, 'clock' | 'nodes'>, plan: Partial<AcquirePlan>, seed: number) {
  const quorum = quorumOver(scene.nodes, scene.clock, { nodeTimeoutMs: 500, seed });
  return scene.clock.settle(acquire(quorum, planFor({ ttlMs: 10_000, ...plan })));
}

function setUp(servers: number, delayMs = 1): Scene {
  const clock = new VirtualClock();
  const nodes = modelNodes(servers, clock);
  for (const node of nodes) node.delayMs = delayMs;
  return { clock, nodes, ask: (plan = {}, seed = 1) => settleAcquire({ clock, nodes }, plan, seed) };
}

/** Locks of processes that are gone, on different servers: no contender can get a majority until they expire. */
function splitForGood(nodes: readonly ModelNode[], ttlMs = 60_000): void {
  nodes.forEach((node, index) => {
    if (index > 0) node.plant('job', `dead-${index}`, ttlMs, `dead-host:${index}`);
  });
}

const roundsAt = (node: ModelNode | undefined): number =>
  node?.arrived.filter(({ kind }) => kind === 'acquire').length ?? NaN;

describe('a vote that stays split for good', () => {
  it.each([3, 5])('P7: ends soon with a wait of 0, and says that it is undecided: %i servers', async (servers) => {
    for (let seed = 1; seed <= 20; seed++) {
      const { nodes, ask } = setUp(servers);
      splitForGood(nodes);
      const { error, tookMs } = await ask({}, seed);
      expect(error).toBeInstanceOf(LockContendedError);
      expect(error).toMatchObject({ undecided: true });
      expect(tookMs).toBeLessThan(250);
      for (const node of nodes) expect(roundsAt(node)).toBeLessThanOrEqual(6);
    }
  });

  it('P5: is asked for until the wait is over, but not for a node timeout longer', async () => {
    const { nodes, ask } = setUp(3);
    splitForGood(nodes);
    const { error, tookMs } = await ask({ waitMs: 5000 });
    expect(error).toMatchObject({ undecided: true });
    expect(tookMs).toBeGreaterThanOrEqual(5000);
    expect(tookMs).toBeLessThanOrEqual(5010);
  });

  it('P7: is taken as soon as what was in the way has expired', async () => {
    const { nodes, ask } = setUp(3);
    splitForGood(nodes, 3000);
    const { value, tookMs } = await ask({ waitMs: 10_000 });
    expect(value).toBeDefined();
    expect(tookMs).toBeLessThan(3000 + 1500);
  });

  it('P11: leaves nothing of the contender behind', async () => {
    const { clock, nodes, ask } = setUp(3);
    splitForGood(nodes);
    await ask();
    await clock.advance(10);
    expect(nodes.map((node) => node.tokenAt('job'))).toEqual([undefined, 'dead-1', 'dead-2']);
    expect(clock.pending).toBe(0);
  });
});

describe('maxRetries', () => {
  it.each([0, 1, 2, 10])('P5: bounds the rounds, those of a contest included: %i', async (maxRetries) => {
    for (let seed = 1; seed <= 20; seed++) {
      const { nodes, ask } = setUp(3);
      splitForGood(nodes);
      const { error } = await ask({ waitMs: 5000, maxRetries }, seed);
      expect(error).toMatchObject({ undecided: true });
      for (const node of nodes) expect(roundsAt(node)).toBe(maxRetries + 1);
    }
  });

  it('P5: bounds the rounds of an attempt that alternates between a contest and no majority', async () => {
    const { clock, nodes, ask } = setUp(3);
    splitForGood(nodes);
    const flicker = (): void => {
      if (nodes[1]!.ensureConnected().status === 'ready') nodes[1]!.disconnect();
      else nodes[1]!.connect();
      clock.after(7, flicker);
    };
    clock.after(5, flicker);
    await ask({ waitMs: 5000, maxRetries: 4 });
    expect(roundsAt(nodes[0])).toBeLessThanOrEqual(5);
  });
});

describe('a vote without a majority of answers', () => {
  it.each(['refuses', 'is down', 'has lost its data'])(
    'P7: is unreachable, and not contested, where one server %s, one is stalled and one has another contender',
    async (fault) => {
      for (let seed = 1; seed <= 5; seed++) {
        const { nodes, ask } = setUp(3);
        nodes[0]!.plant('job', 'z-rival', 60_000);
        if (fault === 'refuses') nodes[1]!.refusal = new Error('OOM command not allowed');
        else if (fault === 'is down') nodes[1]!.disconnect();
        else nodes[1]!.distrust = new Error('has lost its data');
        nodes[2]!.stall();
        const { error, tookMs } = await ask({}, seed);
        expect(error).toBeInstanceOf(QuorumUnreachableError);
        expect((error as Error).message).toContain('node-2: ');
        expect((error as Error).message).toContain('node-3: no answer within 500 ms');
        expect(tookMs).toBeLessThanOrEqual(501);
      }
    },
  );

  it('P7: is unreachable for both of two contenders that come at once', async () => {
    const { clock, nodes } = setUp(3);
    nodes[1]!.disconnect();
    nodes[2]!.stall();
    const both = [1, 2].map((seed) =>
      acquire(quorumOver(nodes, clock, { nodeTimeoutMs: 500, seed }), planFor({ ttlMs: 10_000 })).catch(
        (error: unknown) => error,
      ),
    );
    const { value } = await clock.settle(Promise.all(both));
    for (const error of value ?? []) expect(error).toBeInstanceOf(QuorumUnreachableError);
  });

  it('names every server, those too that had not answered when it was clear', async () => {
    const { nodes, ask } = setUp(5);
    for (const node of nodes.slice(0, 3)) node.disconnect();
    for (const node of nodes.slice(3)) node.stall();
    const { error } = await ask();
    expect((error as QuorumUnreachableError).votes.map(({ server }) => server).sort()).toEqual(
      nodes.map(({ name }) => name),
    );
  });

  it('P2: names every server where too few confirm the fencing token', async () => {
    const { nodes, ask } = setUp(3);
    nodes.forEach((node, index) => (node.startOfCount = () => 10 * index));
    nodes[2]!.disconnect();
    const node = nodes[1]!;
    const { execute } = node;
    node.execute = (requests, ...callbacks) => {
      if (requests.some(({ kind }) => kind === 'confirm')) node.stall();
      execute.call(node, requests, ...callbacks);
    };
    const claims = [{ key: 'job', ttlMs: 10_000, counter: 'count' }];
    const { error } = await ask({ claims, maxRetries: 0 });
    expect((error as QuorumUnreachableError).votes).toEqual([
      { server: 'node-1', outcome: 'confirmed' },
      { server: 'node-2', outcome: 'failed', cause: expect.any(String) },
      { server: 'node-3', outcome: 'failed', cause: 'connect ECONNREFUSED' },
    ]);
  });
});
