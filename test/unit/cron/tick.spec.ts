import { describe, expect, it, jest } from '@jest/globals';
import { firingsOf } from './running-job.js';
import { ticksOf } from '../../../lib/cron/tick.js';
import { CRON_VERSIONS, cronTimeOf, type Schedule } from '../../support/cron-times.js';

const at = (iso: string): number => Date.parse(iso);
const iso = (ms: number): string => new Date(ms).toISOString().replace('.000Z', 'Z');

function tickAt(schedule: Schedule, firedAt: string): string {
  return iso(ticksOf(cronTimeOf(schedule))(at(firedAt)).atMs);
}

describe('the tick that a run belongs to', () => {
  it.each([
    ['a little early', '2026-06-15T11:59:59.981Z'],
    ['on time', '2026-06-15T12:00:00.000Z'],
    ['a little late', '2026-06-15T12:00:00.007Z'],
    ['after a stall', '2026-06-15T12:00:43.210Z'],
    ['nearly a period late', '2026-06-15T12:00:59.979Z'],
  ])('P8: is the same when the timer fires %s', (_, firedAt) => {
    expect(tickAt({ cronTime: '0 * * * * *' }, firedAt)).toBe('2026-06-15T12:00:00Z');
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
  ])('P8: of "%s" fired at %s is %s, and the next follows %i ms later', (cronTime, firedAt, expected, periodMs) => {
    const tick = ticksOf(cronTimeOf({ cronTime, timeZone: 'UTC' }))(at(firedAt));
    expect([iso(tick.atMs), tick.periodMs]).toEqual([expected, periodMs]);
  });

  it.each<[Schedule, string]>([
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
  ])('P8: follows the zone that cron makes of %j', (schedule, expected) => {
    expect(tickAt(schedule, '2026-06-15T12:00:00Z')).toBe(expected);
  });

  it('P8: follows the zone of the system where none is given', () => {
    const options = new Intl.DateTimeFormat().resolvedOptions();
    const system = jest.spyOn(Intl.DateTimeFormat.prototype, 'resolvedOptions');
    system.mockReturnValue({ ...options, timeZone: 'Asia/Kolkata' });
    try {
      expect(tickAt({ cronTime: '0 0 3 * * *' }, '2026-06-15T12:00:00Z')).toBe('2026-06-14T21:30:00Z');
    } finally {
      system.mockRestore();
    }
  });

  it('P8: of one instant is that instant, whenever its timer fires', () => {
    const date = new Date('2026-06-15T12:00:00.123Z');
    for (const made of CRON_VERSIONS) {
      const tickOf = ticksOf(made[1]({ cronTime: date }));
      for (const firedAtMs of [date.getTime() - 3, date.getTime(), date.getTime() + 86_400_000]) {
        expect(tickOf(firedAtMs)).toEqual({ atMs: date.getTime(), periodMs: Infinity });
      }
    }
  });

  // One version of cron fires them at another instant than the other version, so only the job's own can name its ticks.
  it.each([
    ['15 0 * * *', 'America/Santiago', '2026-09-05T00:00Z'],
    ['30 0 * * *', 'America/Santiago', '2026-09-05T00:00Z'],
    ['45 2 * * *', 'Africa/Casablanca', '2026-03-21T00:00Z'],
    ['15 2 * * *', 'Africa/Casablanca', '2026-02-14T00:00Z'],
    ['15 2 * * *', 'Pacific/Auckland', '2026-09-25T20:00Z'],
    ['30 2 * * *', 'Pacific/Auckland', '2026-04-03T20:00Z'],
    ['10 0 * * *', 'Asia/Beirut', '2026-03-27T20:00Z'],
    ['20 0 * * *', 'Africa/Cairo', '2026-04-22T20:00Z'],
  ])(
    'P8: "%s" in %s is what its own job fires around a change of the clock, with every version of cron',
    (cronTime, timeZone, since) => {
      for (const [, make] of CRON_VERSIONS) {
        const job = make({ cronTime, timeZone });
        const realNow = Date.now;
        try {
          const sinceMs = at(since);
          const firings = firingsOf(job, [sinceMs, sinceMs + 4 * 86_400_000], (nowMs) => (Date.now = () => nowMs));
          for (const firing of firings.slice(0, -1))
            expect(ticksOf(make({ cronTime, timeZone }))(firing + 5).atMs).toBe(firing);
        } finally {
          Date.now = realNow;
        }
      }
    },
  );

  it('P8: does not depend on what was asked before', () => {
    const schedule: Schedule = { cronTime: '*/10 * * * * *', timeZone: 'Europe/Berlin' };
    const tickOf = ticksOf(cronTimeOf(schedule));
    // In order, the same again, a stall, a clock that was set back, and across the end of summer time.
    const firings = ['2026-10-25T00:59:50.001Z', '2026-10-25T01:00:00.002Z', '2026-10-25T01:00:00.900Z'].map(at);
    for (const firedAtMs of [...firings, at('2026-10-25T02:30:00Z'), at('2026-10-24T23:00:09Z'), ...firings]) {
      expect(tickOf(firedAtMs)).toEqual(ticksOf(cronTimeOf(schedule))(firedAtMs));
    }
  });
});
