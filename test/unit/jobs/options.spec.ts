import { describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Cron, Interval } from '@nestjs/schedule';
import { InvalidOptionsError, WithLock, type WithLockOptions } from 'redlock-nestjs';
import { scheduledApps } from '../../support/scheduled-app.js';

const NIGHTLY = '0 0 2 * * *';
const { boot } = scheduledApps();

/** A class whose method has this schedule and these options. */
function jobWith(options: WithLockOptions, schedule?: MethodDecorator): new () => object {
  class Job {
    @WithLock('job', '10s', options)
    run(): Promise<void> {
      return Promise.resolve();
    }
  }
  const descriptor = Object.getOwnPropertyDescriptor(Job.prototype, 'run')!;
  schedule?.(Job.prototype, 'run', descriptor);
  Injectable()(Job);
  return Job;
}

describe('P16: options of scheduled methods', () => {
  it.each<[WithLockOptions, RegExp]>([
    [{ catchUp: 0 }, /^catchUp: @WithLock cannot lock Job\.run: .*at least 1/],
    [{ catchUp: '6 hours ago' }, /^catchUp: .*Job\.run/],
    [{ onCrash: 'retry' as never }, /^onCrash: .*Job\.run: takes 'skip' or 'again', got 'retry'/],
    [{ spread: -1 }, /^spread: .*Job\.run/],
    [{ spread: Infinity }, /^spread: .*Job\.run/],
    [{ jitter: NaN }, /^jitter: .*Job\.run/],
    [{ catchUp: '1h', tick: 0 }, /^tick: .*Job\.run: cannot be combined with catchUp/],
    [{ onCrash: 'again', tick: 0 }, /^tick: .*Job\.run: cannot be combined with onCrash/],
  ])('%j is refused when the class is defined, by name', (options, message) => {
    expect(() => jobWith(options)).toThrow(InvalidOptionsError);
    expect(() => jobWith(options)).toThrow(message);
  });

  it.each<[string, WithLockOptions, MethodDecorator | undefined, RegExp]>([
    ['@Interval', { catchUp: '1h' }, Interval(1000), /^catchUp: .*Job\.run: it takes a method with @Cron and perTick/],
    [
      '@Interval',
      { onCrash: 'again' },
      Interval(1000),
      /^onCrash: .*Job\.run: it takes a method with @Cron and perTick/,
    ],
    ['perTick: false', { catchUp: '1h', perTick: false }, Cron(NIGHTLY), /^catchUp: .*Job\.run/],
    ['perTick: false', { onCrash: 'skip', perTick: false }, Cron(NIGHTLY), /^onCrash: .*Job\.run/],
    ['no schedule', { catchUp: '1h' }, undefined, /^catchUp: .*Job\.run/],
    [
      'no schedule',
      { spread: 0 },
      undefined,
      /^spread: .*Job\.run: it takes a method with @Cron, @Interval or @Timeout/,
    ],
    [
      'no schedule',
      { jitter: '1s' },
      undefined,
      /^jitter: .*Job\.run: it takes a method with @Cron, @Interval or @Timeout/,
    ],
  ])('with %s, %j do not boot, and the error names the method', async (_, options, schedule, message) => {
    const error: unknown = await boot([jobWith(options, schedule)]).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(InvalidOptionsError);
    expect((error as Error).message).toMatch(message);
  });

  it('boot where they fit', async () => {
    await boot([jobWith({ catchUp: '6h', onCrash: 'again', spread: '1s', jitter: '1m' }, Cron(NIGHTLY))]);
  });

  it('that fit an interval boot with it', async () => {
    await boot([jobWith({ spread: '1s', jitter: 0 }, Interval(10_000))]);
  });
});
