import { describe, expect, it } from '@jest/globals';
import { NodeQueue } from '../../../lib/core/node-queue.js';
import type { NodeReply, NodeRequest } from '../../../lib/core/ports/lock-node.js';
import { PendingRequest } from '../../../lib/core/pending-request.js';
import { ModelNode } from '../../support/model-node.js';
import { VirtualClock } from '../../support/virtual-clock.js';

function setUp(maxConcurrency = 10): { clock: VirtualClock; node: ModelNode; queue: NodeQueue } {
  const clock = new VirtualClock();
  const node = new ModelNode('node', clock);
  return { clock, node, queue: new NodeQueue(node, clock, maxConcurrency) };
}

function request(kind: NodeRequest['kind'], token: string, key = token): NodeRequest {
  return { kind, token, owner: 'me', claims: [{ key, ttlMs: kind === 'release' ? 0 : 5000 }] };
}

describe('a queue', () => {
  it('sends what one turn of the event loop asks for in one round trip, in order', async () => {
    const { clock, node, queue } = setUp();
    for (let index = 0; index < 31; index++) queue.send(request('acquire', `t${index}`));
    await clock.advance(0);
    expect(node.trips).toBe(1);
    expect(node.arrived.map(({ token }) => token)).toEqual(Array.from({ length: 31 }, (_, index) => `t${index}`));
  });

  it('sends the first 32 at once if the node has nothing to do, and the rest at the end of the turn', async () => {
    const { clock, node, queue } = setUp();
    const trips: number[] = [];
    for (let index = 0; index < 80; index++) {
      queue.send(request('acquire', `t${index}`));
      trips.push(node.trips);
    }
    expect(trips).toEqual([...Array<number>(31).fill(0), ...Array<number>(49).fill(1)]);
    await clock.advance(0);
    expect(node.trips).toBe(2);
    expect(node.arrived.map(({ token }) => token)).toEqual(Array.from({ length: 80 }, (_, index) => `t${index}`));
  });

  it('P11: sends nothing before what it is about to send, however much is asked for by whoever hears that it is too late', async () => {
    const { clock, node, queue } = setUp();
    node.connecting();
    const late = new PendingRequest(request('acquire', 'late'), undefined, 0, clock.nowMs());
    queue.send(request('acquire', 'first'));
    late.settle = () => {
      queue.send(request('release', 'first'));
      for (let index = 0; index < 40; index++) queue.send(request('inspect', `i${index}`));
    };
    queue.take(late);
    await clock.advance(10);
    node.connect();
    await clock.advance(0);
    const kinds = node.arrived.filter(({ token }) => token === 'first').map(({ kind }) => kind);
    expect(kinds).toEqual(['acquire', 'release']);
    expect(node.arrived).toHaveLength(42);
  });

  it('has no more than maxConcurrency round trips under way; the rest waits and shares the next', async () => {
    const { clock, node, queue } = setUp(2);
    node.delayMs = 10;
    const outcomes: string[] = [];
    for (let index = 0; index < 8; index++) {
      queue.send(request('acquire', `t${index}`), ({ outcome }) => outcomes.push(outcome));
      await clock.advance(0);
    }
    expect(node.trips).toBe(2);
    await clock.advance(20);
    expect(node.trips).toBe(3);
    expect(outcomes).toEqual(Array(8).fill('granted'));
  });

  it('P11: never sends an acquire whose time is up', async () => {
    const { clock, node, queue } = setUp();
    node.connecting();
    const pending = queue.send(request('acquire', 't'));
    await clock.advance(10);
    queue.withdraw(pending);
    node.connect();
    await clock.advance(10);
    expect(node.arrived).toEqual([]);
  });

  it('P12: sends nothing that was asked for while it connected, if the node turns out to have forgotten locks', async () => {
    const { clock, node, queue } = setUp();
    node.connecting();
    const replies: NodeReply[] = [];
    queue.send(request('acquire', 't'), (reply) => replies.push(reply));
    queue.send(request('extend', 'u'), (reply) => replies.push(reply));
    await clock.advance(10);
    node.distrust = new Error('it was restarted');
    node.connect();
    await clock.advance(10);
    expect(node.arrived.map(({ kind }) => kind)).toEqual(['extend']);
    expect(replies).toMatchObject([
      { outcome: 'failed', reason: 'untrusted', cause: { message: 'it was restarted' } },
      { outcome: 'absent' },
    ]);
    await queue.idle();
  });

  it('P11: delivers a release when the server is back, however long that takes, and after the acquire that it undoes', async () => {
    const { clock, node, queue } = setUp();
    queue.send(request('acquire', 't'));
    await clock.advance(10);
    node.disconnect();
    const replies: NodeReply[] = [];
    queue.send(request('release', 't'), (reply) => replies.push(reply));
    expect(replies).toMatchObject([{ outcome: 'failed', reason: 'unreachable' }]);
    await clock.advance(500);
    expect(node.keys).toEqual(['t']);
    node.connect();
    await clock.advance(0);
    expect(node.keys).toEqual([]);
    expect(replies).toHaveLength(1);
  });

  it('P11: undoes an acquire of which nobody knows whether it was carried out when the connection broke', async () => {
    const { clock, node, queue } = setUp();
    node.stall();
    const outcomes: NodeReply[] = [];
    queue.send(request('acquire', 't'), (reply) => outcomes.push(reply));
    queue.send(request('acquire', 'u'), (reply) => outcomes.push(reply));
    await clock.advance(10);
    queue.send(request('release', 't'));
    await clock.advance(10);
    node.disconnect(new Error('ECONNRESET'));
    node.resume();
    await clock.advance(0);
    expect(outcomes).toMatchObject([{ outcome: 'failed' }, { outcome: 'failed' }]);
    expect(node.keys).toEqual(['u']); // nobody has released that one
    node.plant('t', 't', 1000); // as if the acquire had been carried out after all
    node.connect();
    await clock.advance(0);
    expect(node.keys).toEqual(['u']);
  });

  it('sends no release for what has never left, and none for what was denied', async () => {
    const { clock, node, queue } = setUp();
    node.plant('denied', 'somebody else', 1000);
    queue.send(request('acquire', 'denied'));
    await clock.advance(0);
    const replies: NodeReply[] = [];
    queue.send(request('release', 'denied'), (reply) => replies.push(reply));
    queue.send(request('release', 'never sent'), (reply) => replies.push(reply));
    expect(replies).toEqual([{ outcome: 'released' }, { outcome: 'released' }]);
    await clock.advance(0);
    expect(node.trips).toBe(1);
  });

  it('sends no release for what has only looked at a job, or steered it', async () => {
    const { clock, node, queue } = setUp();
    queue.send(request('read', 't'));
    queue.send(request('steer', 't'));
    queue.send(request('release', 't'));
    await clock.advance(0);
    queue.send(request('release', 't'));
    await clock.advance(0);
    expect(node.arrived.map(({ kind }) => kind)).toEqual(['read', 'steer']);
  });

  it('releases after a second grant of the same token, although the first answer was a denial that came late', async () => {
    const { clock, node, queue } = setUp();
    node.delayMs = 10;
    node.plant('k', 'somebody else', 7);
    queue.send(request('acquire', 't', 'k'));
    await clock.advance(4);
    queue.send(request('acquire', 't', 'k'));
    await clock.advance(7); // the denial is here, the grant is under way
    queue.send(request('release', 't', 'k'));
    await clock.advance(20);
    expect(node.keys).toEqual([]);
  });

  it('P11: asks again when a server refuses a release, because it is busy or loads its data', async () => {
    const { clock, node, queue } = setUp();
    queue.send(request('acquire', 't'));
    await clock.advance(0);
    node.refusal = new Error('BUSY Redis is busy running a script.');
    const replies: NodeReply[] = [];
    queue.send(request('release', 't'), (reply) => replies.push(reply));
    await clock.advance(500);
    expect(replies).toMatchObject([{ outcome: 'failed', reason: 'refused' }]);
    node.refusal = undefined;
    node.plant('t', 't', 60_000);
    await clock.advance(600);
    expect(node.keys).toEqual([]);
  });

  it('does not grow while a server is stalled: what cannot leave in time is forgotten', async () => {
    const { clock, node, queue } = setUp(2);
    node.stall();
    for (let index = 0; index < 1000; index++) {
      const pending = queue.send(request('acquire', `t${index}`));
      await clock.advance(1);
      queue.withdraw(pending);
      queue.send(request('release', `t${index}`));
    }
    node.resume();
    await clock.advance(10);
    expect(node.arrived.length).toBeLessThan(10);
    expect(node.keys).toEqual([]);
  });

  it('fails what is waiting when the server turns out to be down, with the reason', async () => {
    const { clock, node, queue } = setUp();
    node.connecting();
    const replies: NodeReply[] = [];
    queue.send(request('acquire', 't'), (reply) => replies.push(reply));
    await clock.advance(10);
    node.disconnect(new Error('connect ECONNREFUSED 127.0.0.1:1'));
    expect(replies).toMatchObject([{ reason: 'unreachable', cause: { message: 'connect ECONNREFUSED 127.0.0.1:1' } }]);
  });
});
