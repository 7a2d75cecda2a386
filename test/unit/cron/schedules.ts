import fc from 'fast-check';
import type { Schedule } from '../../support/cron-times.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** A zone, and instants at which its clock changes. */
export interface Place {
  zone: Pick<Schedule, 'timeZone' | 'utcOffset'>;
  changes: string[];
}

const PLACES: Place[] = [
  { zone: { timeZone: 'Europe/Berlin' }, changes: ['2026-03-29T01:00Z', '2026-10-25T01:00Z'] },
  { zone: { timeZone: 'America/New_York' }, changes: ['2026-03-08T07:00Z', '2026-11-01T06:00Z'] },
  // Half an hour.
  { zone: { timeZone: 'Australia/Lord_Howe' }, changes: ['2026-04-04T15:00Z', '2026-10-03T15:30Z'] },
  { zone: { timeZone: 'Australia/Sydney' }, changes: ['2026-04-04T16:00Z', '2026-10-03T16:00Z'] },
  // At midnight: the day began at 1, and the day before ended twice.
  { zone: { timeZone: 'America/Sao_Paulo' }, changes: ['2018-11-04T03:00Z', '2019-02-17T02:00Z'] },
  // Went without a day, the 30th of December 2011.
  { zone: { timeZone: 'Pacific/Apia' }, changes: ['2011-12-30T10:00Z', '2020-09-26T14:00Z', '2021-04-03T14:00Z'] },
  // Two hours.
  { zone: { timeZone: 'Antarctica/Troll' }, changes: ['2026-03-29T01:00Z', '2026-10-25T01:00Z'] },
  // Winter time in Ramadan.
  { zone: { timeZone: 'Africa/Casablanca' }, changes: ['2026-02-15T02:00Z', '2026-03-22T02:00Z'] },
  { zone: { timeZone: 'Asia/Kolkata' }, changes: ['2026-03-29T01:00Z'] },
  { zone: { timeZone: 'UTC' }, changes: ['2026-03-29T01:00Z'] },
  { zone: { utcOffset: 330 }, changes: ['2026-10-25T01:00Z'] },
  { zone: { utcOffset: -210 }, changes: ['2026-10-25T01:00Z'] },
];

export const places: fc.Arbitrary<Place> = fc.constantFrom(...PLACES);

/** Mostly within hours of a change of the clock, often on a whole minute or a few ms off it; and any time at all. */
export function instants({ changes }: Place): fc.Arbitrary<number> {
  const near = fc.constantFrom(...changes).chain((change) =>
    fc.oneof(
      fc.integer({ min: -60, max: 130 }).chain((minutes) => around(Date.parse(change) + minutes * MINUTE_MS)),
      fc.integer({ min: -30 * HOUR_MS, max: 30 * HOUR_MS }).map((offMs) => Date.parse(change) + offMs),
    ),
  );
  const any = fc.integer({ min: Date.UTC(2015, 0), max: Date.UTC(2029, 0) });
  return fc.oneof({ weight: 4, arbitrary: near }, { weight: 1, arbitrary: any });
}

function around(instantMs: number): fc.Arbitrary<number> {
  return fc.constantFrom(0, 0, 1, 3, 250, -1, -19, -20, -21, 999, 31_000).map((offMs) => instantMs + offMs);
}

const PRESETS = ['@yearly', '@monthly', '@weekly', '@daily', '@hourly', '@minutely', '@weekdays', '@weekends'];
const MONTHS = ['JAN', 'feb', 'Mar', 'apr', 'OCT', 'nov', 'DEC'];
// Five fields, or six.
const SECONDS = fc.constantFrom('', '0 ', '30 ', '59 ');
const DAYS = ['SUN', 'mon', 'Tue', 'sat', 'MON-FRI', '0', '6,0', '1-5', '7'];

/**
 * Valid expressions: five and six fields, names, ranges, steps, lists and presets. Either often on many days, or a few
 * times on some days: what ticks every minute of one day a year is too long a walk for the test.
 */
export const expressions: fc.Arbitrary<string> = fc.oneof(
  { weight: 1, arbitrary: fc.constantFrom(...PRESETS, '0 0 29 2 *', '59 59 23 31 12 *') },
  { weight: 8, arbitrary: joined(SECONDS, minutes(), hours(), '*', '*', fc.constantFrom('*', '*', '*', ...DAYS)) },
  { weight: 1, arbitrary: joined(fc.constantFrom('*/20 ', '5,50 '), value(0, 59), hours(), '*', '*', '*') },
  {
    weight: 3,
    arbitrary: joined(SECONDS, value(0, 59), value(0, 23), field(1, 28), months(), fc.constantFrom('*', ...DAYS)),
  },
  { weight: 1, arbitrary: joined(SECONDS, value(0, 59), hours(), field(1, 31), '*', '*') },
);

function joined(second: fc.Arbitrary<string>, ...fields: (fc.Arbitrary<string> | string)[]): fc.Arbitrary<string> {
  const rest = fields.map((some) => (typeof some === 'string' ? fc.constant(some) : some));
  return fc.tuple(second, fc.tuple(...rest)).map(([start, end]) => start + end.join(' '));
}

function minutes(): fc.Arbitrary<string> {
  return fc.oneof(fc.constantFrom('*', '0', '15', '30', '45', '*/5', '*/15', '20-40/10'), field(0, 59));
}

function hours(): fc.Arbitrary<string> {
  return fc.oneof(fc.constantFrom('*', '*', '0', '1', '2', '3', '1-3', '2,3', '*/2'), field(0, 23));
}

function months(): fc.Arbitrary<string> {
  return fc.oneof(fc.constantFrom('*', ...MONTHS), field(1, 12));
}

function value(low: number, high: number): fc.Arbitrary<string> {
  return fc.integer({ min: low, max: high }).map(String);
}

function field(low: number, high: number): fc.Arbitrary<string> {
  const number = fc.integer({ min: low, max: high });
  const range = fc.tuple(number, number).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`);
  return fc.oneof(
    value(low, high),
    range,
    fc.tuple(range, fc.integer({ min: 2, max: 7 })).map(([of, step]) => `${of}/${step}`),
    fc.integer({ min: 2, max: high }).map((step) => `*/${step}`),
    fc.array(fc.oneof(value(low, high), range), { minLength: 2, maxLength: 4 }).map((list) => list.join(',')),
  );
}
