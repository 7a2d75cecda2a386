import { expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Cron } from '@nestjs/schedule';
import { RedlockJobs, RedlockService, WithLock } from 'redlock-nestjs';
import { scheduledApps } from '../../support/scheduled-app.js';

const { boot } = scheduledApps();
let began = 0;

@Injectable()
class Jobs {
  @Cron('0 0 2 * * *')
  @WithLock('report', '10s', { reentrant: true })
  report(): Promise<void> {
    began++;
    return Promise.resolve();
  }
}

it('P20: a paused job does not run by hand, also not within work that holds its key (reentrant)', async () => {
  began = 0;
  const app = await boot([Jobs]);
  const jobs = app.get(RedlockJobs);
  await jobs.pause('report', { reason: 'stock-taking' });
  const outcome = await app
    .get(RedlockService)
    .withLock('report', '10s', () => jobs.runNow('report'))
    .then(
      (run) => run.outcome,
      (error: unknown) => (error as { reason?: string }).reason,
    );
  expect(outcome).toBe('paused');
  expect(began).toBe(0);
});
