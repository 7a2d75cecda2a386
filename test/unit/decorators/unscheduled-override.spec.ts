import { describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Cron } from '@nestjs/schedule';
import { WithLock } from 'redlock-nestjs';
import { scheduledApps } from '../../support/scheduled-app.js';

describe('job names', () => {
  const { boot, seconds } = scheduledApps();

  it('an override without @Cron is not scheduled, and so takes no name from the job that is', async () => {
    let runs = 0;
    @Injectable()
    class Job {
      @Cron('* * * * * *')
      @WithLock('job', '500ms')
      run(): Promise<void> {
        runs++;
        return Promise.resolve();
      }
    }
    @Injectable()
    class OnDemand extends Job {
      override run(): Promise<void> {
        return super.run();
      }
    }
    await boot([Job, OnDemand]);
    await seconds(3);
    expect(runs).toBe(3);
  });
});
