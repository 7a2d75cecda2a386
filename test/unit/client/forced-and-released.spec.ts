import { expect, it } from '@jest/globals';
import { modelWorld } from '../../support/model-service.js';

it('P7: forceRelease in the same instant as the release of its own process is no outage', async () => {
  const world = modelWorld();
  const service = world.serve();
  const { value: lock } = await world.clock.settle(service.acquire('job', '1m'));
  let released: Promise<unknown> | undefined;
  for (const node of world.nodes) {
    Object.assign(node, {
      onRequest: ({ kind }: { kind: string }) => {
        if (kind !== 'remove') return;
        queueMicrotask(() => {
          released ??= lock!.release().catch((error: unknown) => error);
        });
      },
    });
  }
  const { error, tookMs } = await world.clock.settle(service.forceRelease('job'));
  await world.clock.settle(released!);
  expect({ error, tookMs }).toEqual({ error: undefined, tookMs: 0 });
  for (const node of world.nodes) expect(node.keys).toEqual([]);
});
