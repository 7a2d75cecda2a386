import { CronTime } from 'cron';
import { expect, it } from '@jest/globals';
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
