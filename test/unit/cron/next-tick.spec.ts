import { CronTime } from 'cron';
import { describe, expect, it, jest } from '@jest/globals';
import { ticksOf } from '../../../lib/cron/tick.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const FIRED_AT_MS = Date.UTC(2026, 5, 15, 12);

it('P8: cron may answer with nothing later for an hour: the search ends all the same, and ticks go on after it', () => {
  const stuckSinceMs = FIRED_AT_MS % DAY_MS;
  let answers = 0;
  class StuckCronTime extends CronTime {
    override getNextDateFrom(
      ...asked: Parameters<CronTime['getNextDateFrom']>
    ): ReturnType<CronTime['getNextDateFrom']> {
      answers += 1;
      const next = super.getNextDateFrom(...asked);
      const sinceMs = ((next.toMillis() % DAY_MS) + DAY_MS) % DAY_MS;
      return sinceMs > stuckSinceMs && sinceMs < stuckSinceMs + HOUR_MS ? next.minus({ hours: 1 }) : next;
    }
  }
  const tickOf = ticksOf(new StuckCronTime('0 * * * * *', 'UTC'));
  const stuck = tickOf(FIRED_AT_MS + 5);
  expect(stuck.atMs).toBe(FIRED_AT_MS);
  expect(stuck.periodMs).toBeGreaterThanOrEqual(HOUR_MS);
  expect(tickOf(FIRED_AT_MS + 2 * HOUR_MS + 5)).toEqual({ atMs: FIRED_AT_MS + 2 * HOUR_MS, periodMs: 60_000 });
  expect(answers).toBeLessThan(100);
});

describe('jobs with one schedule', () => {
  const EVERY_MINUTE = '0 * * * * *';

  it('ask cron once, however many they are, and each zone and each version of cron by itself', () => {
    const asked = jest.spyOn(CronTime.prototype, 'getNextDateFrom');
    const countOf = (zone: string, times: number): number => {
      const ticks = Array.from({ length: times }, () => ticksOf(new CronTime(EVERY_MINUTE, zone)));
      asked.mockClear();
      const found = ticks.map((tickOf) => tickOf(FIRED_AT_MS + 90_005));
      expect(new Set(found.map(({ atMs }) => atMs - FIRED_AT_MS))).toEqual(new Set([60_000]));
      return asked.mock.calls.length;
    };
    const forOne = countOf('Europe/Berlin', 1);
    expect(forOne).toBeGreaterThan(0);
    expect(countOf('Europe/Berlin', 300)).toBe(0);
    expect(countOf('Asia/Tokyo', 300)).toBe(forOne);
    asked.mockRestore();
  });

  it('may be of stand-ins that answer differently: what one has said holds for no other', () => {
    const standIn = (shiftMs: number): Parameters<typeof ticksOf>[0] => {
      const real = new CronTime(EVERY_MINUTE, 'UTC');
      return {
        source: EVERY_MINUTE,
        sendAt: real.sendAt.bind(real),
        getNextDateFrom: (start: Date, zone?: unknown) => real.getNextDateFrom(start, zone as string).plus(shiftMs),
      };
    };
    expect(ticksOf(standIn(0))(FIRED_AT_MS + 5).atMs).toBe(FIRED_AT_MS);
    expect(ticksOf(standIn(7000))(FIRED_AT_MS + 7005).atMs).toBe(FIRED_AT_MS + 7000);
  });
});
