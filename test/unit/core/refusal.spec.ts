import { describe, expect, it } from '@jest/globals';
import { acquire, type AcquirePlan } from '../../../lib/core/acquire.js';
import { LockContendedError, QuorumUnreachableError, RedlockShutdownError } from '../../../lib/core/errors/index.js';
import { Refusal, refusedByShutdown } from '../../../lib/core/refusal.js';
import { modelNodes, planFor, quorumOver } from '../../support/model-quorum.js';
import { VirtualClock } from '../../support/virtual-clock.js';

interface Refused {
  readonly refusal: Refusal;
  readonly hints: () => number;
}

/** What a plan comes to where another process holds this key on all servers, or where they are down. */
async function refused(plan: Partial<AcquirePlan>, held: string | undefined): Promise<Refused> {
  const clock = new VirtualClock();
  const nodes = modelNodes(3, clock);
  for (const node of nodes) {
    if (held === undefined) node.disconnect();
    else node.plant(held, 'other', 60_000, 'other-host:1');
  }
  let hints = 0;
  const hint = (): string => `Hint ${++hints}.`;
  const { value } = await clock.settle(acquire(quorumOver(nodes, clock), { ...planFor(plan), hint }));
  if (!(value instanceof Refusal)) throw new Error('It was granted.');
  return { refusal: value, hints: () => hints };
}

describe('a lock that is not granted', () => {
  it.each([0, 200])('makes its error when that is asked for, and once, after a wait of %i ms', async (waitMs) => {
    const { refusal, hints } = await refused({ waitMs }, 'job');
    expect(refusal.reason).toBe('locked');
    expect(hints()).toBe(0);
    const { error } = refusal;
    expect(error).toBeInstanceOf(LockContendedError);
    expect(error).toMatchObject({ owner: 'other-host:1' });
    expect(error.message).toContain('Hint 1.');
    expect(refusal.error).toBe(error);
    expect(hints()).toBe(1);
  });

  it('has the reason of its error, and says whether a majority has denied', async () => {
    const { refusal: held } = await refused({}, 'job');
    const { refusal: hasRun } = await refused({ tick: { key: 'tick', ttlMs: 1000 } }, 'tick');
    const { refusal: unreachable } = await refused({}, undefined);
    for (const refusal of [held, hasRun]) {
      expect(refusal.error).toMatchObject({ reason: refusal.reason });
      expect(refusal.isDenial).toBe(true);
    }
    expect([held.reason, hasRun.reason, unreachable.reason]).toEqual(['locked', 'already-ran', 'unreachable']);
    expect(unreachable.error).toBeInstanceOf(QuorumUnreachableError);
    expect(unreachable.isDenial).toBe(false);
  });
});

describe('a call that is ended before its time', () => {
  it('is refused by the shutdown, and rejects with any other reason', () => {
    const shutdown = new RedlockShutdownError(['job']);
    const refusal = refusedByShutdown(shutdown);
    expect(refusal).toMatchObject({ reason: 'closing', isDenial: false });
    expect(refusal.error).toBe(shutdown);
    const reason = new Error('the reason of its signal');
    expect(() => refusedByShutdown(reason)).toThrow(reason);
  });
});
