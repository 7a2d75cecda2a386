import { describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Cron } from '@nestjs/schedule';
import { currentLock, RedlockEvents, RedlockJobs, WithLock } from 'redlock-nestjs';
import { scheduledApps } from '../../support/scheduled-app.js';

const { boot, seconds } = scheduledApps();

describe('what is recorded of a run', () => {
  it('one that gives its lock back early and fails then has failed', async () => {
    @Injectable()
    class Host {
      @Cron('0 * * * * *')
      @WithLock('mails', '5s')
      async run(): Promise<void> {
        await currentLock()!.release();
        throw new Error('the rest has failed');
      }
    }
    const app = await boot([Host]);
    const events: unknown[] = [];
    app.get(RedlockEvents).on('jobFailed', ({ outcome }) => events.push(outcome));
    await seconds(2);
    const [run] = await app.get(RedlockJobs).history('mails');
    expect([events, run?.outcome]).toEqual([['failed'], 'failed']);
  });

  it('one that has ended well, and whose lock was released early', async () => {
    @Injectable()
    class Host {
      @Cron('0 * * * * *')
      @WithLock('mails', '5s')
      async run(): Promise<void> {
        await currentLock()!.release();
      }
    }
    const app = await boot([Host]);
    await seconds(2);
    const [run] = await app.get(RedlockJobs).history('mails');
    expect(run?.outcome).toBe('succeeded');
  });
});
