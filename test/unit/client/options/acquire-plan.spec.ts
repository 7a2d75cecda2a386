import { describe, expect, it } from '@jest/globals';
import { toAcquireSettings } from '../../../../lib/client/options/acquire-options.js';
import { toAcquirePlan } from '../../../../lib/client/options/acquire-plan.js';
import { toSettings } from '../../../../lib/client/options/module-options.js';

const settings = toSettings({ servers: 'a', clockTolerance: 5000, nodeTimeout: 100, driftFactor: 0.01 });

describe('P8: the claim of a tick', () => {
  it('guards for as long as a replica may come, by another clock, or still be waiting', () => {
    const chosen = toAcquireSettings({ wait: 250, tick: { atMs: 0, periodMs: 60_000 } }, 'withLock', settings);
    const { tick } = toAcquirePlan('job', 1000, chosen, settings);
    expect(tick?.quarantineMs).toBe(5000 + 15_000 + 200);
    expect(tick?.ttlMs).toBeCloseTo((5000 + 60_000 + 15_000 + 200) * 1.01);
  });
});
