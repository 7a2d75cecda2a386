import { describe, expect, it } from '@jest/globals';
import { latestTick, type NextTick } from '../../../lib/cron/latest-tick.js';

const DAY_MS = 86_400_000;
const NOW = Date.UTC(2026, 5, 15, 12);

/** A calendar with a tick every so many ms, which counts its questions. */
function every(periodMs: number, originMs = 0): { next: NextTick; questions(): number } {
  let questions = 0;
  const next: NextTick = (afterMs) => {
    questions += 1;
    return originMs + (Math.floor((afterMs - originMs) / periodMs) + 1) * periodMs;
  };
  return { next, questions: () => questions };
}

describe('the latest tick', () => {
  it.each([1_000, 7_000, 60_000, 3_600_000, DAY_MS, 365 * DAY_MS, 8 * 366 * DAY_MS])(
    'P8: of a period of %i ms is found from anywhere within the period',
    (periodMs) => {
      const originMs = Math.floor(NOW / 1_000) * 1_000;
      for (const share of [0, 0.001, 0.3, 0.5, 0.999]) {
        const limitMs = originMs + Math.floor(periodMs * share);
        expect(latestTick(every(periodMs, originMs).next, limitMs)).toEqual({ atMs: originMs, periodMs });
      }
    },
  );

  it('P8: is the tick itself at its very millisecond, and the one before a millisecond earlier', () => {
    const { next } = every(60_000);
    expect(latestTick(next, NOW).atMs).toBe(NOW);
    expect(latestTick(next, NOW - 1).atMs).toBe(NOW - 60_000);
  });

  it('costs two questions where the job is on time, whatever its period', () => {
    for (const periodMs of [1_000, 60_000, DAY_MS, 1_461 * DAY_MS]) {
      const { next, questions } = every(periodMs, NOW);
      expect(latestTick(next, NOW + 5)).toEqual({ atMs: NOW, periodMs });
      expect(questions()).toBe(2);
    }
  });

  it('costs four questions where the job is late and its ticks are regular', () => {
    for (const periodMs of [7_000, 60_000, DAY_MS, 1_461 * DAY_MS]) {
      const { next, questions } = every(periodMs, NOW);
      expect(latestTick(next, NOW + 0.7 * periodMs)).toEqual({ atMs: NOW, periodMs });
      expect(questions()).toBe(4);
    }
  });

  it('costs some tens of questions where thousands of ticks lie behind a long pause', () => {
    // Every second of one hour a year, asked for half a year later.
    const yearMs = 365 * DAY_MS;
    let questions = 0;
    const burst: NextTick = (afterMs) => {
      questions += 1;
      const sinceMs = (((afterMs - NOW) % yearMs) + yearMs) % yearMs;
      return sinceMs < 3_599_000 ? (Math.floor(afterMs / 1_000) + 1) * 1_000 : afterMs - sinceMs + yearMs;
    };
    const tick = latestTick(burst, NOW + yearMs / 2);
    expect(tick).toEqual({ atMs: NOW + 3_599_000, periodMs: yearMs - 3_599_000 });
    expect(questions).toBeLessThan(80);
  });

  it('keeps the last of uneven ticks apart from those before it', () => {
    const ticks = [0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144].map((n) => NOW + n * 1_000);
    const next: NextTick = (afterMs) => ticks.find((atMs) => atMs > afterMs) ?? Infinity;
    for (const [n, atMs] of ticks.entries()) {
      const periodMs = (ticks[n + 1] ?? Infinity) - atMs;
      expect(latestTick(next, atMs)).toEqual({ atMs, periodMs });
      expect(latestTick(next, atMs + 999)).toEqual({ atMs, periodMs });
    }
  });

  it('says so instead of searching for ever where there is no tick in all the years before', () => {
    const next: NextTick = (afterMs) => Math.max(NOW, afterMs + 1_000);
    expect(() => latestTick(next, NOW - 1)).toThrow(
      'The cron expression has no tick in the years before 2026-06-15T12:00:00.000Z, yet its job was fired.',
    );
  });
});
