import { beforeEach, describe, expect, it } from '@jest/globals';
import { Injectable, type Type } from '@nestjs/common';
import { Cron } from '@nestjs/schedule';
import { CronJob } from 'cron';
import {
  currentLock,
  RedlockEvents,
  RedlockJobs,
  RedlockService,
  WithLock,
  type WithLockOptions,
} from 'redlock-nestjs';
import { leaveDeadRun } from '../../support/dead-run.js';
import { scheduledApps } from '../../support/scheduled-app.js';

const { boot, seconds } = scheduledApps();
let runs: string[] = [];
const note = (): Promise<void> => {
  runs.push(`${currentLock()?.tick?.toISOString().slice(11, 19)}${currentLock()?.late ? ' late' : ''}`);
  return Promise.resolve();
};
beforeEach(() => {
  runs = [];
});

function everyMinute(options: WithLockOptions, initialDelay?: number): Type {
  @Injectable()
  class Job {
    @Cron('0 * * * * *', { name: 'job', ...(initialDelay !== undefined && { initialDelay }) })
    @WithLock('job', '5s', options)
    run(): Promise<void> {
      return note();
    }
  }
  return Job;
}

describe('a job whose timer is started later than its application', () => {
  it('P8: makes up for a tick, with initialDelay', async () => {
    const first = await boot([everyMinute({ catchUp: '1h' })]);
    await seconds(1);
    await first.close();
    await seconds(190);
    await boot([everyMinute({ catchUp: '1h' }, 5000)]);
    await seconds(30);
    expect(runs).toEqual(['02:00:00', '02:03:00 late']);
  });

  it('P8: makes up for a tick, with a CronJob of its own', async () => {
    const first = await boot([everyMinute({ catchUp: '1h' })]);
    await seconds(1);
    await first.close();
    await seconds(190);
    const all = (await boot([])).get(RedlockJobs);
    const cron: CronJob = new CronJob('0 * * * * *', () => job.fire());
    const job = all.add('job', { cron, run: note, ttl: '5s', catchUp: '1h' });
    await seconds(5);
    cron.start();
    await seconds(25);
    expect(runs).toEqual(['02:00:00', '02:03:00 late']);
    await cron.stop();
  });

  it('P8: runs a tick again whose replica has died', async () => {
    leaveDeadRun((await boot([])).get(RedlockService), {
      job: 'job',
      tickMs: Date.parse('2026-03-01T02:00:00Z'),
      ttlMs: 5000,
    });
    await seconds(10);
    await boot([everyMinute({ onCrash: 'again' }, 5000)]);
    await seconds(30);
    expect(runs).toEqual(['02:00:00']);
  });

  it('P20: tells of a tick that no replica has run', async () => {
    const first = await boot([everyMinute({})]);
    await seconds(1);
    await first.close();
    await seconds(70);
    const app = await boot([everyMinute({}, 15_000)]);
    const told: unknown[] = [];
    app
      .get(RedlockEvents)
      .on('jobOverdue', ({ tick, reason }) => told.push([tick.toISOString().slice(11, 19), reason]));
    await seconds(40);
    expect(told).toEqual([['02:01:00', 'missed']]);
  });
});
