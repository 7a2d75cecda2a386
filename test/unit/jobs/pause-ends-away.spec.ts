import { beforeEach, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Cron } from '@nestjs/schedule';
import { currentLock, RedlockJobs, RedlockService, WithLock } from 'redlock-nestjs';
import { scheduledApps } from '../../support/scheduled-app.js';

const { boot, seconds } = scheduledApps();
let runs: string[] = [];
beforeEach(() => {
  runs = [];
});

@Injectable()
class Job {
  @Cron('0 0 * * * *', { name: 'job' })
  @WithLock('job', '10s', { catchUp: '2h' })
  run(): Promise<void> {
    runs.push(`${currentLock()?.tick?.toISOString().slice(11, 19)}${currentLock()?.late ? ' late' : ''}`);
    return Promise.resolve();
  }
}

it('makes up for no tick that fell into a pause, also where no replica was there at that tick', async () => {
  const app = await boot([Job]);
  await seconds(60);
  expect(runs).toEqual(['02:00:00']);
  await app.get(RedlockJobs).pause('job', { for: '90m', reason: 'the bank is closed' });
  await app.close();
  await seconds(100 * 60); // 03:00 is in the pause, which ends at 03:31.
  await boot([Job]);
  await seconds(10);
  expect(runs).toEqual(['02:00:00']);
});

it('makes up for no tick that fell into a pause that was ended by resume, also where no replica was there at that tick', async () => {
  const app = await boot([Job]);
  await seconds(60);
  await app.get(RedlockJobs).pause('job');
  await app.close();
  await seconds(70 * 60);
  // As the command does it: no replica takes part.
  const operator = await boot([]);
  await operator.get(RedlockService).client.jobs.resume({ keys: 'job' });
  await boot([Job]);
  await seconds(10);
  expect(runs).toEqual(['02:00:00']);
});
