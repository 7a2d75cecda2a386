import { describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Cron, Interval } from '@nestjs/schedule';
import { currentLock, RedlockEvents, WithLock, type RedlockEvent } from 'redlock-nestjs';
import { RedlockTestingModule } from 'redlock-nestjs/testing';
import { scheduledApps } from '../support/scheduled-app.js';

const TICK = new Date('2026-03-01T02:00:00.000Z');

@Injectable()
class Jobs {
  fails = false;

  @Cron('0 * * * * *')
  @WithLock('invoices', '20s')
  async send(): Promise<string> {
    await new Promise((resolve) => setTimeout(resolve, 100));
    if (this.fails) throw new Error('no paper');
    return String(currentLock()?.fencingToken);
  }

  @Interval(10_000)
  @WithLock('poll', '5s', { job: 'the poll' })
  poll(): Promise<void> {
    return Promise.resolve();
  }
}

describe('the events of a job', () => {
  const apps = scheduledApps();

  async function boot(replicas: number) {
    const events: (RedlockEvent & { replica: number })[] = [];
    const booted = [];
    for (let replica = 0; replica < replicas; replica++) {
      const app = await apps.boot([Jobs]);
      app
        .get(RedlockEvents)
        .observe()
        .subscribe((event) => events.push({ ...event, replica }));
      booted.push(app);
    }
    return { booted, events };
  }

  it('tell the one replica that ran a tick from those that skipped it', async () => {
    const { events } = await boot(3);
    await apps.seconds(2);
    const ofJob = events.filter((event) => 'job' in event && event.job === 'invoices');
    const [started] = ofJob.filter(({ type }) => type === 'jobStarted');
    const about = { keys: ['invoices'], job: 'invoices', method: 'Jobs.send', tick: TICK };
    expect(started).toMatchObject({ ...about, trigger: 'schedule', lateByMs: expect.any(Number) });
    const runs = ofJob.filter(({ type }) => type.startsWith('job'));
    expect(runs).toMatchObject([
      { type: 'jobStarted', replica: started!.replica },
      {
        type: 'jobSucceeded',
        replica: started!.replica,
        ...about,
        trigger: 'schedule',
        durationMs: expect.any(Number),
      },
    ]);
    const { durationMs } = runs[1] as RedlockEvent<'jobSucceeded'>;
    expect(durationMs).toBeGreaterThanOrEqual(100);
    expect(durationMs).toBeLessThan(200);
    const skips = ofJob.filter(({ type }) => type === 'skipped') as (RedlockEvent<'skipped'> & { replica: number })[];
    expect(skips).toHaveLength(2);
    for (const skip of skips) {
      expect(skip.reason).toMatch(/^(locked|already-ran)$/);
      expect(skip).toMatchObject(about);
      expect(skip.replica).not.toBe(started!.replica);
    }
    expect(apps.logger.lines.filter(({ text }) => text.includes('has run on this replica'))).toHaveLength(1);
  });

  it('say that it failed, with the error', async () => {
    const { booted, events } = await boot(1);
    booted[0]!.get(Jobs).fails = true;
    await apps.seconds(2);
    const failed = events.filter(({ type }) => type === 'jobFailed') as RedlockEvent<'jobFailed'>[];
    const about = { job: 'invoices', method: 'Jobs.send', tick: TICK, trigger: 'schedule', outcome: 'failed' };
    expect(failed).toMatchObject([about]);
    expect(failed[0]!.error).toEqual(new Error('no paper'));
  });

  it('say whether the schedule has called it, and name no tick where there is none', async () => {
    const { booted, events } = await boot(1);
    const call = booted[0]!.get(Jobs).send();
    await apps.seconds(0.2);
    await call;
    const [byHand] = events.filter(({ type }) => type === 'jobStarted');
    expect(byHand).toMatchObject({ job: 'invoices', trigger: 'manual', lateByMs: 0 });
    expect(byHand).not.toHaveProperty('tick');
    await apps.seconds(10);
    const polls = events.filter((event) => event.type === 'jobStarted' && event.job === 'the poll');
    expect(polls).toMatchObject([{ method: 'Jobs.poll', keys: ['poll'], trigger: 'schedule' }]);
    expect(polls[0]).not.toHaveProperty('tick');
  });

  it('come from all instances of the module, each with its name', async () => {
    const app = await apps.boot([], [RedlockTestingModule.forRoot({ name: 'second' })]);
    const names: (string | undefined)[] = [];
    app.get(RedlockEvents).on('acquired', ({ instance }) => names.push(instance));
    const { getRedlockToken, RedlockService } = await import('redlock-nestjs');
    for (const token of [RedlockService, getRedlockToken('second')]) {
      await app.get<InstanceType<typeof RedlockService>>(token).withLock('k', '5s', () => Promise.resolve());
    }
    expect(names).toEqual([undefined, 'second']);
  });
});
