import { describe, expect, it } from '@jest/globals';
import { LockHandle } from '../../../lib/core/lock.js';
import { acquire, keepFor, modelNodes, planFor, quorumOver } from '../../support/model-quorum.js';
import { VirtualClock } from '../../support/virtual-clock.js';

describe('P18: a job that runs while one of three servers is away', () => {
  it('keeps of what that server has missed as many runs as a register has room for', async () => {
    const clock = new VirtualClock();
    const nodes = modelNodes(3, clock);
    const quorum = quorumOver(nodes, clock);
    nodes[2]!.disconnect();
    for (let tick = 1; tick <= 100; tick++) {
      const job = { key: '{job}:job', trigger: 'schedule', tickMs: tick * 1000 } as const;
      const plan = planFor({ job, tick: { key: `tick:${tick}`, ttlMs: 100, staysBehind: true } });
      const { value: grant } = await clock.settle(acquire(quorum, plan));
      const lock = new LockHandle(quorum, plan, grant!, keepFor());
      lock.run?.end('succeeded');
      await clock.settle(lock.release());
      await clock.advance(1000);
    }
    nodes[2]!.connect();
    await clock.advance(60_000);
    const missed = nodes[2]!.arrived.filter(({ kind }) => kind === 'release').length;
    expect(missed).toBe(20);
  });
});
