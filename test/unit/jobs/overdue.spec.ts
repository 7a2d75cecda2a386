import { describe, expect, it } from '@jest/globals';
import { Injectable, type Type } from '@nestjs/common';
import { Cron } from '@nestjs/schedule';
import {
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
const at = (time: string): Date => new Date(`2026-03-01T${time}Z`);

function job(options: WithLockOptions = {}, expression = '0 0 * * * *'): Type {
  @Injectable()
  class Job {
    @Cron(expression)
    @WithLock('job', '10s', options)
    run(): Promise<void> {
      return Promise.resolve();
    }
  }
  return Job;
}

/** A replica that tells of what is overdue. */
async function replica(
  type = job(),
): Promise<{ jobs: RedlockJobs; told: RedlockEvent<'jobOverdue'>[]; close: () => Promise<void> }> {
  const app = await boot([type]);
  const told: RedlockEvent<'jobOverdue'>[] = [];
  app.get(RedlockEvents).on('jobOverdue', (event) => told.push(event));
  return { jobs: app.get(RedlockJobs), told, close: () => app.close() };
}

/** The job has run at two o'clock, and there was no replica at three. */
async function missThree(): Promise<void> {
  const first = await replica();
  await seconds(1);
  await first.close();
  await seconds(3600);
}

describe('P20: a job is overdue', () => {
  it('when a tick has had its time, and has not run; an event and one line say so after the start', async () => {
    await missThree();
    const { jobs, told } = await replica();
    expect(await jobs.get('job')).not.toHaveProperty('overdue');
    await seconds(100);
    expect(told).toEqual([]);
    await seconds(100);
    const status = await jobs.get('job');
    expect(status.overdue?.tick).toEqual(at('03:00:00'));
    expect(status.overdue?.byMs).toBeGreaterThan(120_000);
    expect(told).toEqual([
      expect.objectContaining({ job: 'job', method: 'Job.run', tick: at('03:00:00'), reason: 'missed' }),
    ]);
    expect(logger.of('error')).toEqual([
      expect.stringMatching(
        /^Job\.run is overdue, tick 2026-03-01T03:00:00\.000Z: no replica has run that tick for \d+ (s|min)\./,
      ),
    ]);
    await seconds(3600);
    expect(await jobs.get('job')).not.toHaveProperty('overdue');
    expect(told).toHaveLength(1);
  });

  it('not where a run by hand came after it: that counts as no tick', async () => {
    await missThree();
    const { jobs } = await replica();
    await jobs.runNow('job');
    await seconds(200);
    expect(await jobs.get('job')).toHaveProperty('overdue');
  });

  it('not while it is paused, nor for a tick that fell into the pause', async () => {
    const { jobs } = await replica();
    await jobs.pause('job');
    await seconds(200);
    expect(await jobs.get('job')).not.toHaveProperty('overdue');
    await jobs.resume('job');
    expect(await jobs.get('job')).not.toHaveProperty('overdue');
  });

  it('not where the run of the tick has died', async () => {
    leaveDeadRun((await boot([])).get(RedlockService), { job: 'job', tickMs: at('02:00:00').getTime(), ttlMs: 5000 });
    const { jobs } = await replica();
    await seconds(300);
    expect(await jobs.get('job')).not.toHaveProperty('overdue');
  });

  it('not where a replica makes up for it, but where that is over', async () => {
    await missThree();
    const { jobs, told } = await replica(job({ catchUp: '2h' }));
    await seconds(200);
    expect(await jobs.get('job')).toMatchObject({ lastRun: { trigger: 'catch-up', tick: at('03:00:00') } });
    expect(await jobs.get('job')).not.toHaveProperty('overdue');
    expect(told).toEqual([]);
  });

  it('also where catchUp reaches less far back', async () => {
    await missThree();
    await seconds(600);
    const { jobs, told } = await replica(job({ catchUp: '5m' }));
    await seconds(11);
    expect(await jobs.get('job')).toHaveProperty('overdue');
    expect(told).toHaveLength(1);
  });

  it('not where it is new on the servers', async () => {
    const { jobs, told } = await replica(job({}, '0 30 1 * * *'));
    await seconds(300);
    expect(await jobs.get('job')).not.toHaveProperty('overdue');
    expect(told).toEqual([]);
  });

  it('also while a later tick still has its time, where its ticks are further apart later', async () => {
    const first = await replica(job({}, '0 0 2,3,10 * * *'));
    await seconds(1);
    await first.close();
    await seconds(8 * 3600 + 30);
    const { jobs } = await replica(job({}, '0 0 2,3,10 * * *'));
    expect((await jobs.get('job')).overdue?.tick).toEqual(at('03:00:00'));
  });

  it('also where its ticks follow one another faster than the grace', async () => {
    const often = job({}, '* * * * * *');
    const first = await replica(often);
    await seconds(2);
    await first.close();
    await seconds(60);
    // A replica whose firings come to nothing: the job is locked by a replica that has died.
    leaveDeadRun((await boot([])).get(RedlockService), { job: 'job', tickMs: 1, ttlMs: 3_600_000 });
    const { jobs } = await replica(often);
    await seconds(3);
    const status = await jobs.get('job');
    expect(status).not.toHaveProperty('overdue');
    expect(status.running).toBeDefined();
  });
});
