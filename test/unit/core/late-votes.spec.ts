import { describe, expect, it } from '@jest/globals';
import type { AcquirePlan } from '../../../lib/core/acquire.js';
import { Cancellation } from '../../../lib/core/cancellation.js';
import { undo } from '../../../lib/core/undo.js';
import type { Quorum } from '../../../lib/core/quorum.js';
import { DistantNode } from '../../support/distant-node.js';
import type { ModelNode } from '../../support/model-node.js';
import { acquire, modelNodes, planFor, quorumOver } from '../../support/model-quorum.js';
import { VirtualClock } from '../../support/virtual-clock.js';

const TTL_MS = 10_000;

/** Chance is always the same here, and tokens tell who has asked. */
function named(quorum: Quorum, name: string, random = 0.5): Quorum {
  let tokens = 0;
  return { ...quorum, entropy: { token: () => `${name}-${tokens++}`, random: () => random } };
}

interface Scene {
  readonly clock: VirtualClock;
  readonly nodes: ModelNode[];
  readonly early: Quorum;
  readonly other: Quorum;
}

/**
 * Five servers. The early one is nearer to three of them, but hears of one of these soon, and of two after 20 ms; the other
 * gets two, and hears of the third after a while. So each believes that the other leads, and gives its votes back.
 */
function bothYield(thirdMs: number): Scene {
  const clock = new VirtualClock();
  const nodes = modelNodes(5, clock);
  const path = (node: ModelNode, thereMs: number, backMs: number): DistantNode => {
    const distant = new DistantNode(node, clock, thereMs + backMs, backMs);
    // They are told of releases at once, so that no message that is late itself makes them ask again.
    distant.listen = (channel, listener) => node.listen(channel, listener);
    return distant;
  };
  const early = nodes.map((node, at) => path(node, at < 3 ? 0.5 : 1.5, at === 1 || at === 2 ? 20 : 0.5));
  const other = nodes.map((node, at) => path(node, at < 3 ? 1.5 : 0.5, at === 2 ? thirdMs : 0.5));
  return {
    clock,
    nodes,
    early: named(quorumOver(early, clock, { owner: 'early' }), 'a'),
    other: named(quorumOver(other, clock, { owner: 'other' }), 'b'),
  };
}

function ask(quorum: Quorum, plan: Partial<AcquirePlan> = {}): Promise<boolean> {
  return acquire(quorum, planFor({ ttlMs: TTL_MS, ...plan })).then(
    () => true,
    () => false,
  );
}

describe('votes that come late', () => {
  it('P14: a far server is waited for whose vote makes the majority, where a near one keeps a lock that is over', async () => {
    const clock = new VirtualClock();
    const nodes = modelNodes(4, clock);
    nodes[1]!.plant('job', 'left behind', 60_000);
    const distant = nodes.map((node, at) => new DistantNode(node, clock, at === 3 ? 7 : 1, at === 3 ? 4 : 0.5));
    let isGranted = false;
    void ask(named(quorumOver(distant, clock), 'a'), { waitMs: 60_000 }).then((granted) => {
      isGranted = granted;
    });
    await clock.advance(60);
    expect(isGranted).toBe(true);
  });

  it.each([1.8, 9])(
    'P14: nobody is left waiting for one who had a majority, did not know, gave it back, and went away: heard of after %d ms',
    async (thirdMs) => {
      const { clock, nodes, early, other } = bothYield(thirdMs);
      const plan = planFor({ ttlMs: TTL_MS });
      const holder = quorumOver(nodes, clock);
      const { value: grant } = await clock.settle(acquire(holder, plan));
      const waiting = ask(other, { waitMs: 60_000 });
      const controller = new AbortController();
      const gone = ask(early, { waitMs: 60_000, cancellation: new Cancellation(controller.signal) });
      await clock.advance(500); // Both are told of the release.
      undo(holder, plan, grant!.token, { tell: true });
      await clock.advance(12);
      controller.abort(new Error('enough'));
      await clock.settle(gone);
      const { value, tookMs } = await clock.settle(waiting);
      expect(value).toBe(true);
      expect(tookMs).toBeLessThan(200);
    },
  );

  it('P7, P8: a tick is run although one who had a majority, did not know, gave it back, and went away', async () => {
    const { clock, nodes, early, other } = bothYield(9);
    const controller = new AbortController();
    const plan = { waitMs: 0, tick: { key: 'tick', ttlMs: 60_000 } };
    const gone = ask(early, { ...plan, cancellation: new Cancellation(controller.signal) });
    const running = ask(other, plan);
    await clock.advance(9);
    for (const node of nodes) expect(node.keys).toEqual([]);
    controller.abort(new Error('shutdown'));
    await clock.settle(gone);
    expect((await clock.settle(running)).value).toBe(true);
  });

  it.each([2, 2.5, 3, 4])(
    'P7: a contender does not go on to lead once a late vote has shown that another one leads: heard of after %d ms',
    async (backMs) => {
      const clock = new VirtualClock();
      const nodes = modelNodes(4, clock);
      // Each gets two of four votes, and the smaller token leads. The other one hears of the fourth vote late, each time.
      const path = (node: ModelNode, isNear: boolean, backMs = 0.5): DistantNode =>
        new DistantNode(node, clock, (isNear ? 0.5 : 1.5) + backMs, backMs);
      const leader = nodes.map((node, at) => path(node, at < 2));
      const other = nodes.map((node, at) => path(node, at >= 2, at === 1 ? backMs : 0.5));
      const asked = [
        ask(named(quorumOver(leader, clock), 'a'), { waitMs: 0 }),
        ask(named(quorumOver(other, clock), 'b'), { waitMs: 0 }),
      ];
      expect((await clock.settle(Promise.all(asked))).value).toEqual([true, false]);
      // The leader never had to give its votes back.
      for (const node of nodes)
        for (const { kind, token } of node.arrived) expect([kind, token]).not.toEqual(['release', 'a-0']);
    },
  );
});

describe('an attempt that needs a confirmation', () => {
  const counted = { claims: [{ key: 'job', ttlMs: TTL_MS, counter: 'count' }] };

  /** They count differently, so that a token has to be agreed on. */
  function apart(...delays: number[]): { clock: VirtualClock; nodes: ModelNode[] } {
    const clock = new VirtualClock();
    const nodes = modelNodes(3, clock);
    nodes.forEach((node, index) => {
      node.startOfCount = () => 100 * index;
      node.delayMs = delays[index]!;
    });
    return { clock, nodes };
  }

  it('asks again also when chance gives nothing to wait', async () => {
    const { clock, nodes } = apart(4, 4, 12);
    const asked = ask(named(quorumOver(nodes, clock), 't', 0), counted);
    clock.after(5, () => {
      nodes[0]!.flush(); // It has granted, and forgets before it is to confirm.
    });
    expect((await clock.settle(asked)).value).toBe(true);
  });

  it('P11: sends nothing more once it was called off', async () => {
    const { clock, nodes } = apart(2, 20, 60);
    const controller = new AbortController();
    const asked = ask(named(quorumOver(nodes, clock), 't'), {
      ...counted,
      cancellation: new Cancellation(controller.signal),
    });
    clock.after(5, () => {
      controller.abort(new Error('enough'));
    });
    await clock.settle(asked);
    await clock.advance(1000);
    for (const node of nodes) expect(node.arrived.map(({ kind }) => kind)).toEqual(['acquire', 'release']);
  });
});
