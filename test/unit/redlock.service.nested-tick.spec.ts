import { describe, expect, it } from '@jest/globals';
import { modelWorld } from '../support/model-service.js';

describe('P6: nothing is started without a fresh check', () => {
  it.each(['stall', 'slow servers'])(
    'reentrant work with a tick does not begin under a lock that is over (%s)',
    async (how) => {
      const world = modelWorld();
      const service = world.serve();
      const held: boolean[] = [];
      const run = service.withLock(
        'job',
        '1s',
        async () => {
          for (const node of world.nodes) node.delayMs = 20;
          const nested = service.withLock(
            'job',
            '1m',
            (lock) => {
              held.push(lock.isHeld());
              return Promise.resolve();
            },
            { reentrant: true, tick: world.clock.wallMs(), onContended: 'skip' },
          );
          if (how === 'stall') {
            // While the servers are asked for the tick, the event loop stands still for longer than the ttl.
            world.clock.after(5, () => {
              world.clock.stall(3000);
            });
          } else for (const node of world.nodes) node.disconnect(); // the tick meets no majority for a while
          if (how !== 'stall') world.clock.after(3000, () => world.nodes.forEach((node) => node.connect()));
          await nested;
        },
        { wait: 5000 },
      );
      await world.clock.settle(run);
      expect(held.filter((each) => !each)).toEqual([]);
    },
  );
});
