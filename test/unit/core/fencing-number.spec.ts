import { describe, expect, it } from '@jest/globals';
import { counterLifeMs, FencingStart, isFencingNumber } from '../../../lib/core/fencing-number.js';

const HOUR_MS = 3_600_000;
const NOW_MS = Date.UTC(2030, 0, 1);

describe('P2: where a counter begins that no server remembers', () => {
  function setUp(): { start: FencingStart; set: (ms: number) => void } {
    let wallMs = NOW_MS;
    return { start: new FencingStart({ wallMs: () => wallMs }), set: (ms) => (wallMs = ms) };
  }

  it('is the time of day in microseconds', () => {
    const { start, set } = setUp();
    expect(start.next()).toBe(NOW_MS * 1000);
    set(NOW_MS + 0.0005);
    expect(start.next()).toBe(NOW_MS * 1000);
  });

  it('is never below a token that this process has had, however far its clock is set back', () => {
    const { start, set } = setUp();
    start.note(NOW_MS * 1000 + 5);
    start.note(7);
    set(NOW_MS - 24 * HOUR_MS);
    expect(start.next()).toBe(NOW_MS * 1000 + 5);
  });

  it('takes nothing from a token that is years ahead: it was written by another program', () => {
    const { start } = setUp();
    for (const token of [2 ** 52, 9e15 - 1, 9e15, 2 ** 53, Infinity, NaN]) start.note(token);
    expect(start.next()).toBe(NOW_MS * 1000);
  });

  it.each([Date.UTC(2400, 0, 1), NaN, -1, Infinity])('is left to the servers where the clock shows %p', (ms) => {
    const { start, set } = setUp();
    set(ms);
    expect(start.next()).toBe(0);
  });
});

describe('P2: a fencing number', () => {
  it.each([0, 1, 1.8e15, 9e15 - 1])('may be %p', (value) => {
    expect(isFencingNumber(value)).toBe(true);
  });

  it.each([9e15, 2 ** 53, 1e21, -1, 1.5, NaN, Infinity])('is never %p', (value) => {
    expect(isFencingNumber(value)).toBe(false);
  });
});

describe('P2: the counter of a key', () => {
  const claim = (ttlMs: number, more = {}): number => counterLifeMs({ key: 'k', ttlMs, ...more });

  it('lives for the retention, and longer than its lock', () => {
    expect(claim(10_000, { retentionMs: HOUR_MS })).toBe(HOUR_MS);
    expect(claim(10_000, { retentionMs: 1 })).toBe(20_000);
    expect(claim(10_000, { retentionMs: HOUR_MS, quarantineMs: HOUR_MS })).toBe(2 * HOUR_MS);
    expect(claim(0)).toBe(1);
  });
});
