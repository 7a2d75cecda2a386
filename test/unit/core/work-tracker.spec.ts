import { describe, expect, it } from '@jest/globals';
import { WorkTracker } from '../../../lib/core/work-tracker.js';
import { VirtualClock } from '../../support/virtual-clock.js';

describe('the work in flight', () => {
  it('P15: is waited for as it is now, and not what begins meanwhile, which never ends under steady traffic', async () => {
    const clock = new VirtualClock();
    const tracker = new WorkTracker(clock);
    const first = tracker.begin();
    const settled = clock.settle(tracker.settleWithin(10_000));
    await clock.advance(100);
    const second = tracker.begin();
    tracker.end(first);
    expect(await settled).toMatchObject({ value: true });
    expect(tracker.size).toBe(1);
    expect(await clock.settle(tracker.settleWithin(500))).toEqual({ value: false, tookMs: 500 });
    tracker.end(second);
    expect(await clock.settle(tracker.settleWithin(500))).toEqual({ value: true, tookMs: 0 });
    expect(clock.pending).toBe(0);
  });
});
