import { expect, it } from '@jest/globals';
import { confirmHeld } from '../../../lib/core/confirm-held.js';
import { TimerQueue } from '../../../lib/system/timer-queue.js';
import { acquire, modelNodes, planFor, quorumOver } from '../../support/model-quorum.js';
import { VirtualClock } from '../../support/virtual-clock.js';

it('P6: a lock whose keys have no ttl any more on a majority, because of another program, is held for no unknown time', async () => {
  const clock = new VirtualClock();
  const nodes = modelNodes(3, clock);
  for (const node of nodes.slice(0, 2)) {
    const execute = node.execute.bind(node);
    node.execute = (requests, onReplies, onError) => {
      const persisted: typeof onReplies = (replies) => {
        onReplies(
          replies.map((reply) =>
            reply.outcome === 'seen' ? { ...reply, holder: { ...reply.holder, remainingMs: Infinity } } : reply,
          ),
        );
      };
      execute(requests, persisted, onError);
    };
  }
  const quorum = quorumOver(nodes, clock);
  const plan = planFor({ ttlMs: 1000 });
  const { value: grant } = await clock.settle(acquire(quorum, plan));
  const { value: answer } = await clock.settle(confirmHeld(quorum, grant!.token, plan.claims, 100));
  expect(answer).toMatchObject({ kind: 'held', leftMs: Infinity });
});

it('P6: a timer without a time is due at once, and keeps no other one from firing', async () => {
  const timers = new TimerQueue();
  const fired: string[] = [];
  await new Promise<void>((resolve) => {
    timers.after(NaN, () => fired.push('NaN'), true);
    timers.after(
      20,
      () => {
        fired.push('20 ms');
        resolve();
      },
      true,
    );
  });
  expect(fired).toEqual(['NaN', '20 ms']);
});
