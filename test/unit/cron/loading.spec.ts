import { createRequire } from 'node:module';
import type { CronTime } from 'cron';
import { beforeEach, describe, expect, it, jest } from '@jest/globals';

type CronModule = typeof import('cron');
type DateTime = ReturnType<CronTime['getNextDateFrom']>;

const cron = createRequire(import.meta.url)('cron') as CronModule;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const FIRED_AT_MS = Date.UTC(2026, 5, 15, 12);

describe('the cron package', () => {
  beforeEach(() => void jest.resetModules());

  it('is not loaded before an expression is compiled, and not at all for one instant', async () => {
    const load = jest.fn(() => ({ ...cron }));
    jest.unstable_mockModule('cron', load);
    const { compileTicks } = await import('../../../lib/cron/tick.js');
    await compileTicks({ cronTime: new Date(FIRED_AT_MS) });
    expect(load).not.toHaveBeenCalled();
    await compileTicks({ cronTime: '0 * * * * *' });
    expect(load).toHaveBeenCalledTimes(1);
  });

  it.each<[string, object]>([
    ['by name', { CronTime: cron.CronTime }],
    ['on the default export only', { default: { CronTime: cron.CronTime } }],
  ])('may have its exports %s', async (_, exports) => {
    jest.unstable_mockModule('cron', () => exports);
    const { compileTicks } = await import('../../../lib/cron/tick.js');
    expect((await compileTicks({ cronTime: '0 * * * * *' }))(FIRED_AT_MS).atMs).toBe(FIRED_AT_MS);
  });

  it('is named where it is one that we do not know', async () => {
    jest.unstable_mockModule('cron', () => ({ default: {} }));
    const { compileTicks } = await import('../../../lib/cron/tick.js');
    await expect(compileTicks({ cronTime: '0 * * * * *' })).rejects.toThrow(
      'The installed package "cron" has no CronTime',
    );
  });

  it('P8: may answer with nothing later for an hour: the search ends all the same, and ticks go on after it', async () => {
    const stuckSinceMs = FIRED_AT_MS % DAY_MS;
    let answers = 0;
    class StuckCronTime extends cron.CronTime {
      override getNextDateFrom(...asked: Parameters<CronTime['getNextDateFrom']>): DateTime {
        answers += 1;
        const next = super.getNextDateFrom(...asked);
        const sinceMs = ((next.toMillis() % DAY_MS) + DAY_MS) % DAY_MS;
        return sinceMs > stuckSinceMs && sinceMs < stuckSinceMs + HOUR_MS ? next.minus({ hours: 1 }) : next;
      }
    }
    jest.unstable_mockModule('cron', () => ({ CronTime: StuckCronTime }));
    const { compileTicks } = await import('../../../lib/cron/tick.js');
    const tickOf = await compileTicks({ cronTime: '0 * * * * *', timeZone: 'UTC' });
    const stuck = tickOf(FIRED_AT_MS + 5);
    expect(stuck.atMs).toBe(FIRED_AT_MS);
    expect(stuck.periodMs).toBeGreaterThanOrEqual(HOUR_MS);
    expect(tickOf(FIRED_AT_MS + 2 * HOUR_MS + 5)).toEqual({ atMs: FIRED_AT_MS + 2 * HOUR_MS, periodMs: 60_000 });
    expect(answers).toBeLessThan(100);
  });
});
