import { describe, expect, it } from '@jest/globals';
import { LockHandle } from '../../../lib/core/lock.js';
import type { NodeState } from '../../../lib/core/ports/lock-node.js';
import { ReleaseSubscriber } from '../../../lib/redis/release-subscriber.js';
import { acquire, keepFor, modelNodes, planFor, quorumOver } from '../../support/model-quorum.js';
import { VirtualClock } from '../../support/virtual-clock.js';

/** A subscriber connection whose messages the test sends. */
class FakePubSub {
  readonly ended = false;
  readonly clustered = false;
  readonly warnings = [];
  readonly database = 0;
  readonly keyspace = '';
  readonly name = 's';
  epoch = 1;
  publish: (channel: string, message: string) => void = () => undefined;
  ensureConnected(): NodeState {
    return { status: 'ready' };
  }
  onChange(): void {
    return undefined;
  }
  onSilence(): void {
    return undefined;
  }
  close(): void {
    return undefined;
  }
  onMessage(listener: (channel: string, message: string) => void): void {
    this.publish = listener;
  }
  send(_command: string, _args: readonly (string | number)[], onReply: (reply: unknown) => void): void {
    queueMicrotask(() => {
      onReply(1);
    });
  }
}

describe('P5: one odd message on a release channel', () => {
  it.each(['1', '999999', 'x', 'Infinity', '1e999'])(
    '%s: the waiter still settles within wait + 2 nodeTimeouts',
    async (message) => {
      const clock = new VirtualClock();
      const nodes = modelNodes(3, clock);
      const pubsubs = nodes.map((node) => {
        node.delayMs = 10;
        const connection = new FakePubSub();
        const subscriber = new ReleaseSubscriber(() => connection);
        node.listen = (channel, listener) => subscriber.listen(channel, listener);
        return connection;
      });
      const holder = quorumOver(nodes, clock, { seed: 1, owner: 'a' });
      const waiter = quorumOver(nodes, clock, { seed: 2, owner: 'b' });
      const plan = planFor({ ttlMs: 1000, waitMs: 3000 });
      const { value: grant } = await clock.settle(acquire(holder, plan));
      new LockHandle(holder, plan, grant!, keepFor());
      let settled = false;
      const waiting = acquire(waiter, plan).finally(() => (settled = true));
      waiting.catch(() => undefined);
      await clock.advance(100); // it listens by now
      for (const each of pubsubs) each.publish('job', message);
      await clock.advance(60_000); // the holder has expired after 1 s; wait + 2 nodeTimeouts are 3.2 s
      expect(settled).toBe(true);
    },
  );
});

describe('P14: the channels of one server', () => {
  it('cost a new listener the same, however many there are', () => {
    const connection = new FakePubSub();
    let looks = 0;
    Object.defineProperty(connection, 'epoch', { get: () => ++looks && 1 });
    const subscriber = new ReleaseSubscriber(() => connection);
    const listener = { onReleased: () => undefined, onHearing: () => undefined };
    for (let channel = 0; channel < 1000; channel++) subscriber.listen(`channel ${channel}`, listener);
    const before = looks;
    subscriber.listen('one more', listener);
    expect(looks - before).toBeLessThan(10);
  });
});
