import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { backoffMs } from '../../../lib/core/backoff.js';
import type { Entropy } from '../../../lib/core/ports/entropy.js';

/** Chance that always says the same, and how often it was asked. */
class Fixed implements Entropy {
  asked = 0;
  constructor(private readonly share: number) {}

  token(): string {
    throw new Error('A back-off needs no token.');
  }

  random(): number {
    this.asked++;
    return this.share;
  }
}

const shares = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const attempts = fc.oneof(fc.nat(12), fc.nat(100_000), fc.constant(Number.MAX_SAFE_INTEGER));
const bounds = fc
  .tuple(fc.integer({ min: 1, max: 100_000 }), fc.nat(10_000_000))
  .map(([baseMs, moreMs]) => ({ baseMs, maxMs: baseMs + moreMs }));

/** Doubles from the base until the bound is reached, one step after the other. */
function ceilingOf(attempt: number, { baseMs, maxMs }: { baseMs: number; maxMs: number }): number {
  let ceilingMs = baseMs;
  for (let n = 0; n < attempt && ceilingMs < maxMs; n++) ceilingMs *= 2;
  return Math.min(ceilingMs, maxMs);
}

describe('the back-off', () => {
  it('is anything from nothing to the doubled delay, and never above the bound, however long it has gone on', () => {
    fc.assert(
      fc.property(attempts, bounds, shares, (attempt, bound, share) => {
        const chance = new Fixed(share);
        const pauseMs = backoffMs(attempt, bound.baseMs, bound.maxMs, chance);
        expect(pauseMs).toBeGreaterThanOrEqual(0);
        expect(pauseMs).toBeLessThanOrEqual(ceilingOf(attempt, bound));
        expect(pauseMs).toBeCloseTo(share * ceilingOf(attempt, bound), 5);
        expect(chance.asked).toBe(1);
      }),
    );
  });

  it('P7: has full jitter: the same chance apart is the same share of the ceiling apart, from the very first attempt', () => {
    fc.assert(
      fc.property(attempts, bounds, shares, shares, (attempt, bound, one, other) => {
        const pause = (share: number): number => backoffMs(attempt, bound.baseMs, bound.maxMs, new Fixed(share));
        expect(pause(one) - pause(other)).toBeCloseTo((one - other) * ceilingOf(attempt, bound), 5);
      }),
    );
  });

  it('never becomes shorter from one attempt to the next by anything but chance', () => {
    fc.assert(
      fc.property(fc.nat(100_000), bounds, shares, (attempt, { baseMs, maxMs }, share) => {
        const now = backoffMs(attempt, baseMs, maxMs, new Fixed(share));
        expect(backoffMs(attempt + 1, baseMs, maxMs, new Fixed(share))).toBeGreaterThanOrEqual(now);
      }),
    );
  });
});
