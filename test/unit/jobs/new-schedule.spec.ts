import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Injectable, type Type } from '@nestjs/common';
import { Cron, SchedulerRegistry } from '@nestjs/schedule';
import { CronTime } from 'cron';
import {
  currentLock,
  RedlockEvents,
  RedlockJobs,
  RedlockService,
  WithLock,
  type WithLockOptions,
} from 'redlock-nestjs';
import type { NodeReply } from '../../../lib/core/ports/lock-node.js';
import { scheduledApps } from '../../support/scheduled-app.js';

const { boot, seconds } = scheduledApps();
let runs: string[] = [];
beforeEach(() => {
  runs = [];
});

function job(expression: string, options: WithLockOptions = {}): Type {
  @Injectable()
  class Job {
    @Cron(expression, { name: 'job' })
    @WithLock('job', '10s', options)
    run(): Promise<void> {
      runs.push(`${currentLock()?.tick?.toISOString().slice(11, 16)}${currentLock()?.late ? ' late' : ''}`);
      return Promise.resolve();
    }
  }
  return Job;
}

const HOURLY = '0 0 * * * *';
const HALF_PAST = '0 30 * * * *';

describe('a deploy that changes the schedule', () => {
  it('P8: catchUp makes up for no tick of before it, and for those that are missed later', async () => {
    const first = await boot([job(HOURLY, { catchUp: '2h' })]);
    await seconds(41 * 60);
    await first.close();
    const second = await boot([job(HALF_PAST, { catchUp: '2h' })]);
    await seconds(10);
    await second.close();
    expect(runs).toEqual(['02:00']);
    await seconds(3600);
    await boot([job(HALF_PAST, { catchUp: '2h' })]);
    await seconds(10);
    expect(runs).toEqual(['02:00', '03:30 late']);
  });

  it('P20: and none of before it is overdue', async () => {
    await boot([job(HOURLY)]);
    await seconds(41 * 60);
    const app = await boot([job(HALF_PAST)]);
    const told: unknown[] = [];
    app.get(RedlockEvents).on('jobOverdue', (event) => told.push(event));
    await seconds(300);
    expect(await app.get(RedlockJobs).get('job')).not.toHaveProperty('overdue');
    expect(told).toEqual([]);
  });
});

describe('a CronJob that gets another schedule (setTime)', () => {
  it('P20, P8: has missed no tick of before that', async () => {
    const app = await boot([job(HOURLY, { catchUp: '2h' })]);
    await seconds(41 * 60);
    app.get(SchedulerRegistry).getCronJob('job').setTime(new CronTime(HALF_PAST));
    expect(await app.get(RedlockJobs).get('job')).not.toHaveProperty('overdue');
    const { client } = app.get(RedlockService);
    client.events.emit('quorumRegained', { voting: 1, servers: 1, needed: 1, lostForMs: 1 });
    await seconds(300);
    expect(await app.get(RedlockJobs).get('job')).not.toHaveProperty('overdue');
    expect(runs).toEqual(['02:00']);
    await seconds(3600);
    expect(runs).toEqual(['02:00', '03:30']);
  });

  it('P8: makes up for the first tick of it, where no majority of the servers was there', async () => {
    const app = await boot([job(HOURLY, { catchUp: '2h' })]);
    await seconds(41 * 60);
    app.get(SchedulerRegistry).getCronJob('job').setTime(new CronTime(HALF_PAST));
    await seconds(48 * 60);
    const { client } = app.get(RedlockService);
    const refused: NodeReply = { outcome: 'failed', reason: 'refused', cause: new Error('OOM') };
    const spies = client.shards.servers.map(({ node }) =>
      jest.spyOn(node, 'execute').mockImplementation((requests, onReplies) => {
        onReplies(requests.map(() => refused));
      }),
    );
    await seconds(3 * 60);
    expect(runs).toEqual(['02:00']);
    for (const spy of spies) spy.mockRestore();
    await seconds(10);
    expect(runs).toEqual(['02:00', '03:30 late']);
  });
});
