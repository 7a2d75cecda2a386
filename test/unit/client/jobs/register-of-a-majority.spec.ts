import { describe, expect, it } from '@jest/globals';
import type { RedlockService } from 'redlock-nestjs';
import { calledBy } from '../../../../lib/client/options/acquire-options.js';
import type { ModelNode } from '../../../support/model-node.js';
import { modelWorld, type ModelWorld } from '../../../support/model-service.js';

const PLACE = { keys: 'report' };

function run(service: RedlockService, work: () => Promise<unknown> = () => Promise.resolve()): Promise<unknown> {
  const caller = { method: 'Jobs.report', job: 'report', trigger: 'manual' } as const;
  return service.withLock('report', '1s', work, calledBy(caller, { wait: 0 }));
}

async function settle<T>({ clock }: ModelWorld, promise: Promise<T>): Promise<T> {
  const { value, error } = await clock.settle(promise);
  if (error !== undefined) throw error as Error;
  return value as T;
}

/** No request of this process reaches the node any more. */
function cutOff(node: ModelNode | undefined, owner: string): void {
  if (node === undefined) return;
  const execute = node.execute.bind(node);
  node.execute = (requests, onReplies, onError) => {
    if (requests[0]?.owner === owner) onError(new Error('cut off'));
    else execute(requests, onReplies, onError);
  };
}

describe('P20: what a call on a job has confirmed', () => {
  it('an end that was confirmed is on a majority, also where a server had not granted the lock', async () => {
    const world = modelWorld();
    const [one, two, three] = world.nodes;
    const service = world.serve({ owner: 'one' });
    three?.disconnect();
    const work = (): Promise<void> => {
      three?.connect();
      cutOff(two, 'one');
      return Promise.resolve();
    };
    await settle(world, run(service, work));
    // The only server that had granted and heard of the end is away now.
    one?.disconnect();
    await world.clock.advance(2000);
    const { runs } = await settle(world, world.serve().client.jobs.read(PLACE));
    expect(runs.map(({ outcome }) => outcome)).toEqual(['succeeded']);
  });

  it('a server that never had the lock does not make it a lock that was lost', async () => {
    const world = modelWorld();
    const [one, , three] = world.nodes;
    three?.disconnect();
    const work = (): Promise<void> => {
      three?.connect();
      one?.flush();
      return Promise.resolve();
    };
    await settle(world, run(world.serve(), work));
  });
});
