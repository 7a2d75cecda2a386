import { describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Cron, Interval } from '@nestjs/schedule';
import { RedlockEvents, RedlockJobs, WithLock } from 'redlock-nestjs';
import { scheduledApps } from '../../support/scheduled-app.js';

const apps = scheduledApps();
const { boot, seconds } = apps;

describe('several @WithLock on a scheduled method', () => {
  it('P16: a minHold of the inner one beyond the ttl of the module does not boot', async () => {
    @Injectable()
    class Host {
      @Cron('0 * * * * *')
      @WithLock('outer', '5s')
      @WithLock('inner', undefined, { minHold: '11s' })
      run(): Promise<void> {
        return Promise.resolve();
      }
    }
    await expect(boot([Host])).rejects.toThrow(/minHold/);
  });

  it('P16: the same without a schedule', async () => {
    @Injectable()
    class Host {
      @WithLock('outer', '5s')
      @WithLock('inner', undefined, { minHold: '11s' })
      run(): Promise<void> {
        return Promise.resolve();
      }
    }
    await expect(boot([Host])).rejects.toThrow(/minHold/);
  });

  it('boot says that the ttl of the inner one is longer than the period', async () => {
    @Injectable()
    class Host {
      @Interval(3000)
      @WithLock('outer', '2s')
      @WithLock('inner', '20s')
      run(): Promise<void> {
        return Promise.resolve();
      }
    }
    await boot([Host]);
    expect(apps.logger.lines.map(({ text }) => text).join('\n')).toMatch(/longer than its period/);
  });

  it('P16: options of the schedule on the inner one do not boot', async () => {
    @Injectable()
    class Host {
      @Cron('0 * * * * *')
      @WithLock('outer', '5s')
      @WithLock('inner', '5s', { catchUp: '1h', onCrash: 'again' })
      run(): Promise<void> {
        return Promise.resolve();
      }
    }
    await expect(boot([Host])).rejects.toThrow(/catchUp: .*Host\.run: it counts on the outermost @WithLock/);
  });
});

describe('the name of a job of several keys', () => {
  it('two scheduled methods with one job name do not boot', async () => {
    @Injectable()
    class Host {
      @Cron('0 0 * * * *')
      @WithLock('a, b', '5s')
      one(): Promise<void> {
        return Promise.resolve();
      }
      @Cron('0 0 * * * *')
      @WithLock(['a', 'b'], '5s')
      two(): Promise<void> {
        return Promise.resolve();
      }
    }
    await expect(
      boot([Host]).then(async (app) => (await app.get(RedlockJobs).list()).map((j) => [j.job, j.method])),
    ).rejects.toThrow(/two scheduled jobs/);
  });

  it('the job of an event is the name by which it is found', async () => {
    @Injectable()
    class Host {
      @Cron('0 * * * * *')
      @WithLock(() => ['a', 'a'], '5s')
      one(): Promise<void> {
        return Promise.resolve();
      }
    }
    const app = await boot([Host]);
    const seen: string[] = [];
    app.get(RedlockEvents).on('jobStarted', ({ job }) => seen.push(job));
    await seconds(2);
    expect(seen).toEqual((await app.get(RedlockJobs).list()).map(({ job }) => job));
  });
});
