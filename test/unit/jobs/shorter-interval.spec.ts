import { expect, it } from '@jest/globals';
import { Injectable, type Type } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { WithLock, type WithLockOptions } from 'redlock-nestjs';
import { scheduledApps } from '../../support/scheduled-app.js';

const { boot, seconds } = scheduledApps();

it.each<[string, WithLockOptions, number]>([
  ['when the old interval is over', {}, 0],
  ['at once, with another job name', { job: 'refresh:1m' }, 3],
])('a deploy that makes an interval shorter takes effect %s', async (_, options, expected) => {
  let runs = 0;
  const every = (ms: number, own: WithLockOptions = {}): Type => {
    @Injectable()
    class Job {
      @Interval(ms)
      @WithLock('refresh', '10s', own)
      run(): Promise<void> {
        runs++;
        return Promise.resolve();
      }
    }
    return Job;
  };
  const first = await boot([every(3_600_000)]);
  await seconds(3601);
  expect(runs).toBe(1);
  await first.close();
  await boot([every(60_000, options)]);
  await seconds(185);
  expect(runs - 1).toBe(expected);
  await seconds(3600);
  expect(runs).toBeGreaterThan(1);
});
