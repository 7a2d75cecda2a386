import { describe, expect, it, jest } from '@jest/globals';
import { compileTicks, type CronSchedule } from '../../../lib/cron/tick.js';

const at = (iso: string): number => Date.parse(iso);
const iso = (ms: number): string => new Date(ms).toISOString().replace('.000Z', 'Z');

async function tickAt(schedule: CronSchedule, firedAt: string): Promise<string> {
  return iso((await compileTicks(schedule))(at(firedAt)).atMs);
}

describe('the tick that a run belongs to', () => {
  it.each([
    ['a little early', '2026-06-15T11:59:59.981Z'],
    ['on time', '2026-06-15T12:00:00.000Z'],
    ['a little late', '2026-06-15T12:00:00.007Z'],
    ['after a stall', '2026-06-15T12:00:43.210Z'],
    ['nearly a period late', '2026-06-15T12:00:59.979Z'],
  ])('P8: is the same when the timer fires %s', async (_, firedAt) => {
    expect(await tickAt({ cronTime: '0 * * * * *' }, firedAt)).toBe('2026-06-15T12:00:00Z');
  });

  it.each([
    ['* * * * * *', '2026-06-15T12:00:07.003Z', '2026-06-15T12:00:07Z', 1_000],
    ['*/10 * * * * *', '2026-06-15T12:00:19.900Z', '2026-06-15T12:00:10Z', 10_000],
    ['*/5 * * * *', '2026-06-15T12:07:00.000Z', '2026-06-15T12:05:00Z', 300_000],
    ['0 0 9 * * MON-FRI', '2026-06-15T08:00:00Z', '2026-06-12T09:00:00Z', 3 * 86_400_000],
    ['@hourly', '2026-06-15T12:00:00.001Z', '2026-06-15T12:00:00Z', 3_600_000],
    ['@yearly', '2026-06-15T12:00:00Z', '2026-01-01T00:00:00Z', 365 * 86_400_000],
    ['0 0 29 2 *', '2027-06-15T12:00:00Z', '2024-02-29T00:00:00Z', 1461 * 86_400_000],
    ['0 0 29 2 *', '2104-02-28T23:59:59.979Z', '2096-02-29T00:00:00Z', 2921 * 86_400_000],
    ['* * 0 1 1 *', '2026-06-15T12:00:00Z', '2026-01-01T00:59:59Z', 365 * 86_400_000 - 3_599_000],
    ['0 0 12 13 * 5', '2026-06-15T12:00:00Z', '2026-06-13T12:00:00Z', 6 * 86_400_000],
  ])(
    'P8: of "%s" fired at %s is %s, and the next follows %i ms later',
    async (cronTime, firedAt, expected, periodMs) => {
      const tick = (await compileTicks({ cronTime, timeZone: 'UTC' }))(at(firedAt));
      expect([iso(tick.atMs), tick.periodMs]).toEqual([expected, periodMs]);
    },
  );

  it.each<[CronSchedule, string]>([
    [{ cronTime: '0 0 3 * * *', timeZone: 'Europe/Berlin' }, '2026-06-15T01:00:00Z'],
    [{ cronTime: '0 0 3 * * *', timeZone: 'America/New_York' }, '2026-06-15T07:00:00Z'],
    [{ cronTime: '0 0 3 * * *', timeZone: 'Asia/Kolkata' }, '2026-06-14T21:30:00Z'],
    [{ cronTime: '0 0 3 * * *', timeZone: 'Pacific/Apia' }, '2026-06-14T14:00:00Z'],
    [{ cronTime: '0 0 3 * * *', utcOffset: 0 }, '2026-06-15T03:00:00Z'],
    [{ cronTime: '0 0 3 * * *', utcOffset: 330 }, '2026-06-14T21:30:00Z'],
    [{ cronTime: '0 0 3 * * *', utcOffset: -210 }, '2026-06-15T06:30:00Z'],
    // A string counts as the number that it is, in minutes: -0300 is five hours.
    [{ cronTime: '0 0 3 * * *', utcOffset: '-0300' }, '2026-06-15T08:00:00Z'],
    [{ cronTime: '0 0 3 * * *', utcOffset: 330, timeZone: null }, '2026-06-14T21:30:00Z'],
  ])('P8: follows the zone that cron makes of %j', async (schedule, expected) => {
    expect(await tickAt(schedule, '2026-06-15T12:00:00Z')).toBe(expected);
  });

  it('P8: follows the zone of the system where none is given', async () => {
    const options = new Intl.DateTimeFormat().resolvedOptions();
    const system = jest.spyOn(Intl.DateTimeFormat.prototype, 'resolvedOptions');
    system.mockReturnValue({ ...options, timeZone: 'Asia/Kolkata' });
    try {
      expect(await tickAt({ cronTime: '0 0 3 * * *' }, '2026-06-15T12:00:00Z')).toBe('2026-06-14T21:30:00Z');
    } finally {
      system.mockRestore();
    }
  });

  it('P8: of one instant is that instant, whenever its timer fires', async () => {
    const date = new Date('2026-06-15T12:00:00.123Z');
    for (const cronTime of [date, { toJSDate: () => date }]) {
      const tickOf = await compileTicks({ cronTime });
      for (const firedAtMs of [date.getTime() - 3, date.getTime(), date.getTime() + 86_400_000]) {
        expect(tickOf(firedAtMs)).toEqual({ atMs: date.getTime(), periodMs: Infinity });
      }
    }
  });

  it('P8: does not depend on what was asked before', async () => {
    const schedule: CronSchedule = { cronTime: '*/10 * * * * *', timeZone: 'Europe/Berlin' };
    const tickOf = await compileTicks(schedule);
    // In order, the same again, a stall, a clock that was set back, and across the end of summer time.
    const firings = ['2026-10-25T00:59:50.001Z', '2026-10-25T01:00:00.002Z', '2026-10-25T01:00:00.900Z'].map(at);
    for (const firedAtMs of [...firings, at('2026-10-25T02:30:00Z'), at('2026-10-24T23:00:09Z'), ...firings]) {
      expect(tickOf(firedAtMs)).toEqual((await compileTicks(schedule))(firedAtMs));
    }
  });

  it.each<[string, CronSchedule, string | RegExp]>([
    ['an unknown word', { cronTime: '0 0 * * FRO' }, 'Unknown alias: fro'],
    ['too few fields', { cronTime: '* *' }, 'Too few fields'],
    ['a value out of range', { cronTime: '61 * * * *' }, 'out of range'],
    ['a date that never comes', { cronTime: '0 0 30 2 *' }, 'No execution date was found'],
    ['an unknown zone', { cronTime: '* * * * *', timeZone: 'Europe/Atlantis' }, 'Invalid timezone.'],
    [
      'an offset that is no number',
      { cronTime: '* * * * *', utcOffset: '+05:30' },
      'You specified an invalid UTC offset',
    ],
    ['a zone and an offset', { cronTime: '* * * * *', timeZone: 'UTC', utcOffset: 60 }, "You can't specify both"],
  ])("P8: refuses %s with cron's own words", async (_, schedule, message) => {
    await expect(compileTicks(schedule)).rejects.toThrow(message);
  });

  it('P8: refuses an invalid Date, which would be one tick for all time', async () => {
    await expect(compileTicks({ cronTime: new Date(NaN) })).rejects.toThrow(RangeError);
  });
});
