import { expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Cron } from '@nestjs/schedule';
import { RedlockEvents, RedlockJobs, RedlockService, WithLock } from 'redlock-nestjs';
import { scheduledApps } from '../../support/scheduled-app.js';

const { boot, seconds } = scheduledApps();

it('P20: a job whose lock was gone when it was given back is no success in its history either', async () => {
  const operator = (await boot([])).get(RedlockService);
  @Injectable()
  class Jobs {
    @Cron('0 * * * * *')
    @WithLock('j', '10s')
    async run(): Promise<void> {
      await operator.forceRelease('j'); // of another process, and before the first extension
    }
  }
  const app = await boot([Jobs]);
  const heard: string[] = [];
  for (const name of ['jobSucceeded', 'jobFailed'] as const) app.get(RedlockEvents).on(name, () => heard.push(name));
  await seconds(5);
  const [run] = await app.get(RedlockJobs).history('j');
  expect([run?.outcome, ...heard]).toEqual(['lost', 'jobFailed']);
});
