import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Injectable, type Type } from '@nestjs/common';
import { Cron } from '@nestjs/schedule';
import {
  currentLock,
  RedlockEvents,
  RedlockJobs,
  RedlockService,
  WithLock,
  type RedlockEvent,
  type WithLockOptions,
} from 'redlock-nestjs';
import { leaveDeadRun } from '../../support/dead-run.js';
import { scheduledApps } from '../../support/scheduled-app.js';

const apps = scheduledApps();
const { boot, seconds, logger } = apps;
const TWO = Date.parse('2026-03-01T02:00:00Z');

let ticks: (string | undefined)[] = [];
let takesMs = 0;
let started: RedlockEvent<'jobStarted'>[] = [];
beforeEach(() => {
  [ticks, started, takesMs] = [[], [], 0];
});

/** A job that is due every minute. */
function everyMinute(options: WithLockOptions = { onCrash: 'again' }): Type {
  @Injectable()
  class Job {
    @Cron('0 * * * * *', { name: 'job' })
    @WithLock('job', '5s', options)
    async run(): Promise<void> {
      ticks.push(currentLock()?.tick?.toISOString().slice(11, 19));
      if (takesMs > 0) await new Promise((resolve) => setTimeout(resolve, takesMs));
    }
  }
  return Job;
}

async function replica(type = everyMinute()): ReturnType<typeof boot> {
  const app = await boot([type]);
  app.get(RedlockEvents).on('jobStarted', (event) => started.push(event));
  return app;
}

/** A replica has run the tick of two o'clock, by its own clock, and has died. */
async function die(trigger?: 'again', ttlMs = 5000): Promise<RedlockService> {
  const service = (await boot([])).get(RedlockService);
  leaveDeadRun(service, { job: 'job', tickMs: TWO, ttlMs, ...(trigger && { trigger }) });
  return service;
}

describe('P8: a tick whose replica has died in the middle', () => {
  it('is run again once with onCrash: again, when its lock has expired, with a larger fencing token', async () => {
    for (let count = 0; count < 3; count++) await replica();
    await die();
    await seconds(4.5);
    expect(ticks).toEqual([]);
    await seconds(12);
    expect(ticks).toEqual(['02:00:00']);
    expect(started).toMatchObject([{ trigger: 'again' }]);
    const [again, died] = await (await replica()).get(RedlockJobs).history('job');
    expect([again?.outcome, died?.outcome]).toEqual(['succeeded', 'died']);
    expect(again!.fencingToken).toBeGreaterThan(died!.fencingToken);
    await seconds(60);
    expect(ticks).toEqual(['02:00:00', '02:01:00']);
    expect(logger.problems).toEqual([]);
  });

  it('is lost with onCrash: skip, and by default', async () => {
    for (const options of [{ onCrash: 'skip' as const }, {}]) await replica(everyMinute(options));
    await die();
    await seconds(50);
    expect(ticks).toEqual([]);
  });

  it('is run again by a replica that starts after its death', async () => {
    await die();
    await seconds(20);
    for (let count = 0; count < 2; count++) await replica();
    await seconds(2);
    expect(ticks).toEqual(['02:00:00']);
  });

  it('is run again also by a replica that starts when later ticks are due, while the run goes on', async () => {
    await die(undefined, 90_000);
    await seconds(65);
    for (let count = 0; count < 2; count++) await replica();
    await seconds(24);
    expect(ticks).toEqual([]);
    await seconds(20);
    expect(ticks).toEqual(['02:00:00']);
    expect(started).toMatchObject([{ trigger: 'again' }]);
  });

  it('is not run again at the start when a later tick is due', async () => {
    await die();
    await seconds(70);
    await replica();
    await seconds(20);
    expect(ticks).toEqual([]);
  });

  it('is not run again while it is paused', async () => {
    const app = await replica();
    await die();
    await app.get(RedlockJobs).pause('job');
    await seconds(50);
    expect(ticks).toEqual([]);
  });

  it('is not run a third time when the second run has died, too', async () => {
    const app = await replica();
    let skips = 0;
    app.get(RedlockEvents).on('skipped', () => skips++);
    await die();
    await seconds(5);
    await die('again');
    await seconds(40);
    expect(ticks).toEqual([]);
    // The firing of its timer, one try while the second run had the lock, and one that the servers denied.
    expect(skips).toBeLessThanOrEqual(3);
  });

  it('is not run again where it only takes long, or has failed', async () => {
    takesMs = 40_000;
    const job = everyMinute();
    for (let count = 0; count < 3; count++) await replica(job);
    await seconds(50);
    expect(ticks).toEqual(['02:00:00']);
    expect(started).toHaveLength(1);
  });

  it('is run again also where its ttl covers the ticks after it', async () => {
    @Injectable()
    class Often {
      @Cron('* * * * * *')
      @WithLock('job', '5s', { onCrash: 'again' })
      run(): Promise<void> {
        return Promise.resolve(void ticks.push(currentLock()?.tick?.toISOString().slice(11, 19)));
      }
    }
    for (let count = 0; count < 2; count++) await replica(Often);
    await die();
    await seconds(4);
    expect(ticks).toEqual([]);
    await seconds(10);
    expect(ticks.filter((tick) => tick === '02:00:00')).toHaveLength(1);
    expect(new Set(ticks).size).toBe(ticks.length);
  });

  it('is watched no longer when the application shuts down', async () => {
    const app = await replica();
    await die();
    await seconds(2);
    const { client } = app.get(RedlockService);
    const read = jest.spyOn(client.jobs, 'read');
    await app.close();
    await seconds(40);
    expect(ticks).toEqual([]);
    expect(read).not.toHaveBeenCalled();
  });
});
