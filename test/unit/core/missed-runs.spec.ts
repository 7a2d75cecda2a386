import { describe, expect, it } from '@jest/globals';
import { LockHandle } from '../../../lib/core/lock.js';
import { acquire, keepFor, modelNodes, planFor, quorumOver } from '../../support/model-quorum.js';
import { VirtualClock } from '../../support/virtual-clock.js';

describe('P18: a job that runs while one of three servers is away', () => {
  // A host that is powered off is `connecting` nearly all the time; a frozen one behind a given client is `ready`, and has the first trips.
  it.each([
    ['disconnected', 20],
    ['connecting', 20],
    ['stalled', 40],
  ] as const)('keeps of what it has missed as many runs as a register has room for: %s', async (how, most) => {
    const clock = new VirtualClock();
    const nodes = modelNodes(3, clock);
    const quorum = quorumOver(nodes, clock);
    if (how === 'disconnected') nodes[2]!.disconnect();
    else if (how === 'connecting') nodes[2]!.connecting();
    else nodes[2]!.stall();
    for (let tick = 1; tick <= 300; tick++) {
      const job = { key: '{job}:job', trigger: 'schedule', tickMs: tick * 1000 } as const;
      const plan = planFor({ job, tick: { key: `tick:${tick}`, ttlMs: 100, staysBehind: true } });
      const { value: grant } = await clock.settle(acquire(quorum, plan));
      const lock = new LockHandle(quorum, plan, grant!, keepFor());
      lock.run?.end('succeeded');
      await clock.settle(lock.release());
      await clock.advance(1000);
    }
    if (how === 'stalled') nodes[2]!.resume();
    else nodes[2]!.connect();
    await clock.advance(60_000);
    const missed = nodes[2]!.arrived.filter(({ kind }) => kind === 'release').length;
    expect(missed).toBeLessThanOrEqual(most);
    expect(missed).toBeGreaterThanOrEqual(20);
  });
});
