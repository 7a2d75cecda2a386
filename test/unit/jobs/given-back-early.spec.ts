import { describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Cron } from '@nestjs/schedule';
import { currentLock, RedlockEvents, RedlockJobs, WithLock } from 'redlock-nestjs';
import { scheduledApps } from '../../support/scheduled-app.js';

const { boot, seconds } = scheduledApps();

describe('a run that gives its lock back early', () => {
  it.each(['failed', 'succeeded'] as const)('and has %s then is recorded so, as its event says', async (outcome) => {
    @Injectable()
    class Host {
      @Cron('0 * * * * *')
      @WithLock('mails', '5s')
      async run(): Promise<void> {
        await currentLock()!.release();
        if (outcome === 'failed') throw new Error('the rest has failed');
      }
    }
    const app = await boot([Host]);
    const events: string[] = [];
    app.get(RedlockEvents).on('jobFailed', (event) => events.push(event.outcome));
    app.get(RedlockEvents).on('jobSucceeded', () => events.push('succeeded'));
    await seconds(2);
    const [run] = await app.get(RedlockJobs).history('mails');
    expect([events, run?.outcome]).toEqual([[outcome], outcome]);
  });
});
