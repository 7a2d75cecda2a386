import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { CronJob } from 'cron';
import { ticksOf, type TickOf } from '../../../lib/cron/tick.js';
import { cronTimeOf, type Schedule } from '../../support/cron-times.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const at = (iso: string): number => Date.parse(iso);
const compile = (schedule: Schedule): TickOf => ticksOf(cronTimeOf(schedule));
const clock = (ms: number): string => new Date(ms).toISOString().slice(5, 16);

/** When a real job fires between two instants, as its callback sees it. */
function fire(cronTime: string, timeZone: string, from: string, to: string): number[] {
  const firedAtMs: number[] = [];
  jest.setSystemTime(at(from));
  const job = CronJob.from({ cronTime, timeZone, start: true, onTick: () => void firedAtMs.push(Date.now()) });
  jest.advanceTimersByTime(at(to) - at(from));
  void job.stop();
  return firedAtMs;
}

/**
 * What `cron` 4.4 really does when the clock changes. Some of it is odd; the ticks follow it all the same, because a tick
 * that differs from what fires would be a run lost or a run too many.
 */
const CHANGES: [what: string, cronTime: string, timeZone: string, from: string, hours: number, fires: string[]][] = [
  ['ticks once at a time that comes twice', '0 30 2 * * *', 'Europe/Berlin', '10-24T22:00', 12, ['10-25T00:30']],
  [
    'ticks through both passes of a repeated hour',
    '0 0,30 * * * *',
    'Europe/Berlin',
    '10-24T23:45',
    3,
    ['10-25T00:00', '10-25T00:30', '10-25T01:00', '10-25T01:30', '10-25T02:00', '10-25T02:30'],
  ],
  // An hour early, at the second 02:30, and then again on time.
  [
    'ticks twice in the hour after it',
    '0 30 3 * * *',
    'Europe/Berlin',
    '10-24T22:00',
    12,
    ['10-25T01:30', '10-25T02:30'],
  ],
  ['ticks at the end of a gap that covers it', '0 30 2 * * *', 'Europe/Berlin', '03-28T22:00', 12, ['03-29T01:00']],
  [
    'ticks once more at the end of a gap',
    '0 15,45 * * * *',
    'America/New_York',
    '03-08T06:30',
    1.5,
    ['03-08T06:45', '03-08T07:00', '03-08T07:15', '03-08T07:45'],
  ],
  ['ticks once in a repeated hour', '0 30 1 * * *', 'America/New_York', '11-01T03:00', 12, ['11-01T05:30']],
  // South of the equator, where January is in summer time, a skipped time is moved by the length of the gap.
  ['ticks an hour later where it is skipped', '0 30 2 * * *', 'Australia/Sydney', '10-03T12:00', 12, ['10-03T16:30']],
  [
    'ticks half an hour before and after where it is skipped',
    '0 15 2 * * *',
    'Australia/Lord_Howe',
    '10-03T12:00',
    12,
    ['10-03T15:15', '10-03T15:45'],
  ],
  ['ticks once in a repeated half hour', '0 45 1 * * *', 'Australia/Lord_Howe', '04-04T12:00', 12, ['04-04T14:45']],
  // Both passes of 01:45, although it is due at 02:45 only.
  [
    'ticks three times after a repeated half hour',
    '0 45 2 * * *',
    'Australia/Lord_Howe',
    '04-04T12:00',
    12,
    ['04-04T14:45', '04-04T15:15', '04-04T16:15'],
  ],
];

describe('when the clock changes', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it.each(CHANGES)('P8: a job %s: "%s" in %s', (_, cronTime, timeZone, from, hours, fires) => {
    const since = `2026-${from}Z`;
    const firedAtMs = fire(cronTime, timeZone, since, new Date(at(since) + hours * HOUR_MS).toISOString());
    expect(firedAtMs.map(clock)).toEqual(fires);

    const tickOf = compile({ cronTime, timeZone });
    expect(firedAtMs.map((ms) => tickOf(ms).atMs)).toEqual(firedAtMs);
    // A replica that is asked for one of them only, and a little later.
    const late = firedAtMs.map((ms) => compile({ cronTime, timeZone })(ms + 999));
    expect(late.map(({ atMs }) => atMs)).toEqual(firedAtMs);
  });

  it('P8: every minute of a night with a repeated hour is a tick of its own, and so is that of a skipped one', () => {
    for (const [from, to] of [
      ['2026-10-24T23:54:30Z', '2026-10-25T02:05:30Z'],
      ['2026-03-29T00:29:30Z', '2026-03-29T01:30:30Z'],
    ] as const) {
      const tickOf = compile({ cronTime: '0 * * * * *', timeZone: 'Europe/Berlin' });
      const ticks = fire('0 * * * * *', 'Europe/Berlin', from, to).map((ms) => tickOf(ms));
      const minutes = Array.from(
        { length: (at(to) - at(from)) / MINUTE_MS },
        (_, n) => at(from) + 30_000 + n * MINUTE_MS,
      );
      expect(ticks.map(({ atMs }) => atMs)).toEqual(minutes);
      expect(new Set(ticks.map(({ periodMs }) => periodMs))).toEqual(new Set([MINUTE_MS]));
    }
  });

  it('P8: a replica that is started within a repeated hour and fires again belongs to the tick that has run', () => {
    // 02:30 has been, before the clock was set back to 02:00. For a job that starts at the second 02:10 it is to come.
    const firedAtMs = fire('0 30 2 * * *', 'Europe/Berlin', '2026-10-25T01:10:00Z', '2026-10-25T03:00:00Z');
    expect(firedAtMs.map(clock)).toEqual(['10-25T01:30']);
    const tickOf = compile({ cronTime: '0 30 2 * * *', timeZone: 'Europe/Berlin' });
    expect(firedAtMs.map((ms) => clock(tickOf(ms).atMs))).toEqual(['10-25T00:30']);
  });

  it('P8: a job that was stalled across the change runs late, for the tick that the others ran on time', () => {
    jest.setSystemTime(at('2026-10-25T00:15:00Z'));
    const firedAtMs: number[] = [];
    const onTick = (): void => void firedAtMs.push(Date.now());
    const job = CronJob.from({ cronTime: '0 30 2 * * *', timeZone: 'Europe/Berlin', start: true, onTick });
    // The clock goes on, the timers do not.
    jest.setSystemTime(at('2026-10-25T01:05:00Z'));
    jest.advanceTimersByTime(HOUR_MS);
    void job.stop();
    expect(firedAtMs.map(clock)[0]).toBe('10-25T01:20');
    const tickOf = compile({ cronTime: '0 30 2 * * *', timeZone: 'Europe/Berlin' });
    expect(firedAtMs.map((ms) => clock(tickOf(ms).atMs))).toContain('10-25T00:30');
  });

  it.each([
    ['0 * * * * *', 'Europe/Berlin', '2026-10-25T01:30:00.005Z', '10-25T01:30'],
    ['0 45 1 * * *', 'Australia/Lord_Howe', '2026-04-04T14:20:00Z', '04-03T14:45'],
    ['0 30 1 * * *', 'Antarctica/Troll', '2026-10-25T02:00:00Z', '10-24T23:30'],
  ])('P8: the season in which a replica asks does not matter: "%s" in %s', (cronTime, timeZone, firedAt, expected) => {
    const seasons = ['2026-01-01', '2026-07-01', '2019-01-01', '2033-07-01'];
    const ticks = [];
    for (const season of seasons) {
      jest.setSystemTime(at(season));
      ticks.push(clock(compile({ cronTime, timeZone })(at(firedAt)).atMs));
    }
    expect(ticks).toEqual(seasons.map(() => expected));
  });
});
