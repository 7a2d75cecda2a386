import { expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Cron } from '@nestjs/schedule';
import { RedlockJobs, WithLock } from 'redlock-nestjs';
import { scheduledApps } from '../../support/scheduled-app.js';

const { boot, seconds } = scheduledApps();

@Injectable()
class Job {
  @Cron('0 * * * * *', { name: 'job' })
  @WithLock(() => `report:${new Date().toISOString().slice(11, 16)}`, '10s', { job: 'report' })
  run(): Promise<void> {
    return Promise.resolve();
  }
}

it('P20: a job whose key changes from run to run is not paused by halves: pause refuses', async () => {
  const app = await boot([Job]);
  await seconds(70);
  await expect(app.get(RedlockJobs).pause('report')).rejects.toThrow(/The key of Job.run changes from run to run/);
});
