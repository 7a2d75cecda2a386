import { describe, expect, it } from '@jest/globals';
import { modelWorld } from '../support/model-service.js';

describe('reentrant: what begins in the last microtasks of the work', () => {
  it.each(Array.from({ length: 16 }, (_, index) => index))(
    'P1: runs under a lock that nobody else gets meanwhile (%i microtasks after the work)',
    async (microtasks) => {
      const world = modelWorld();
      const [one, two] = [world.serve(), world.serve()];
      let atWork = 0;
      let together = 0;
      const work = async (): Promise<void> => {
        together = Math.max(together, ++atWork);
        await new Promise<void>((resolve) => world.clock.after(200, resolve));
        atWork--;
      };
      let nested: Promise<unknown> | undefined;
      const outer = one.withLock('job', '1s', () => {
        // Work that is not waited for: it goes on a few microtasks after the work has ended.
        nested = (async () => {
          for (let each = 0; each < microtasks; each++) await Promise.resolve();
          await one.withLock('job', '1s', work, { reentrant: true });
        })();
        return Promise.resolve();
      });
      const other = (async () => {
        await new Promise<void>((resolve) => world.clock.after(20, resolve));
        await two.withLock('job', '1s', work);
      })();
      await world.clock.settle(Promise.all([outer, other]).then(() => nested));
      expect(together).toBe(1);
    },
  );
});
