import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { nodeTimeoutMs } from '../../../lib/core/quorum.js';
import { deadlineAtMs } from '../../../lib/core/validity.js';
import { toTtlMs } from '../../../lib/client/options/check.js';

const fraction = (max: number): fc.Arbitrary<number> => fc.double({ min: 0, max, noNaN: true });
const ttls = fc.oneof(fc.integer({ min: 3, max: 100 }), fc.integer({ min: 3, max: 100 * 365 * 86_400_000 }));
const instants = fc.double({ min: 0, max: 1e9, noNaN: true });
// What the drift allowance is for: clocks whose rates are apart by less than that. Quartz is better than 0.0001.
const drifts = fc.oneof(fc.constantFrom(0, 0.0001, 0.01, 0.1), fraction(0.5));

describe('validity', () => {
  it('P1, P6: is over before any server forgets the lock, on whatever clock within the allowance', () => {
    const cases = fc.record({
      sentAtMs: instants,
      ttlMs: ttls,
      drift: drifts,
      // How long the request is under way, and where in this range the rate of the server's clock is.
      wayMs: fraction(1000),
      rate: fc.oneof(fc.constantFrom(-1, 1), fc.double({ min: -1, max: 1, noNaN: true })),
      // Where within a millisecond of its clock the server is: it keeps whole ones.
      phase: fraction(0.999),
    });
    fc.assert(
      fc.property(cases, ({ sentAtMs, ttlMs, drift, wayMs, rate, phase }) => {
        const perMs = 1 + rate * drift; // What the server's clock goes forward in a millisecond of ours.
        const receivedAtServerMs = 1_000_000 + phase;
        const forgottenAtServerMs = Math.floor(receivedAtServerMs) + Math.ceil(ttlMs);
        const forgottenAtMs = sentAtMs + wayMs + (forgottenAtServerMs - receivedAtServerMs) / perMs;
        // Doubles of this size have a grain.
        expect(deadlineAtMs(sentAtMs, ttlMs, drift)).toBeLessThan(forgottenAtMs + ttlMs * 1e-12);
      }),
    );
  });

  it('P1: is ttl - (ttl x driftFactor + 2 ms) from before the first send', () => {
    fc.assert(
      fc.property(instants, ttls, drifts, (sentAtMs, ttlMs, drift) => {
        const lengthMs = deadlineAtMs(sentAtMs, ttlMs, drift) - sentAtMs;
        expect(Math.abs(lengthMs - (ttlMs - (ttlMs * drift + 2)))).toBeLessThan(1e-6 + ttlMs * 1e-12);
      }),
    );
  });

  it('P16: is left of every ttl that is accepted, and would not be worth a millisecond of a whole one that is refused', () => {
    const factors = fc.oneof(drifts, fraction(0.999_999));
    fc.assert(
      fc.property(
        fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 100_000 })),
        factors,
        (ttlMs, drift) => {
          let accepted = true;
          try {
            expect(toTtlMs(ttlMs, drift)).toBe(ttlMs);
          } catch (error) {
            expect(error).toMatchObject({ code: 'INVALID_OPTIONS' });
            accepted = false;
          }
          if (accepted) expect(deadlineAtMs(0, ttlMs, drift)).toBeGreaterThan(0);
          else expect(deadlineAtMs(0, ttlMs, drift)).toBeLessThanOrEqual(1);
        },
      ),
    );
  });

  it('P5: one server takes no more of it than a quarter of the ttl, and no more than the rule', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60_000 }), ttls, (ruleMs, ttlMs) => {
        const rules = { owner: '', driftFactor: 0.01, nodeTimeoutMs: ruleMs, retryDelayMs: 1, maxRetryDelayMs: 1 };
        const result = nodeTimeoutMs(rules, ttlMs);
        expect(result).toBeGreaterThan(0);
        expect(result).toBe([ruleMs, ttlMs / 4].toSorted((a, b) => a - b)[0]);
      }),
    );
  });
});
