import { createRequire } from 'node:module';
import { beforeEach, describe, expect, it, jest } from '@jest/globals';

type CronModule = typeof import('cron');

const cron = createRequire(import.meta.url)('cron') as CronModule;
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
});
