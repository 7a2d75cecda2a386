import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Injectable, type Type } from '@nestjs/common';
import { Cron } from '@nestjs/schedule';
import { currentLock, RedlockJobs, RedlockService, WithLock, type WithLockOptions } from 'redlock-nestjs';
import { scheduledApps } from '../../support/scheduled-app.js';

const apps = scheduledApps();
const { boot, seconds } = apps;
let runs: string[] = [];
beforeEach(() => {
  runs = [];
});

const HOURLY = '0 0 * * * *';
const HALF_PAST = '0 30 * * * *';

function job(expression: string, options: WithLockOptions = {}): Type {
  @Injectable()
  class Job {
    @Cron(expression, { name: 'job' })
    @WithLock('job', '60s', options)
    run(): Promise<void> {
      runs.push(`${currentLock()?.tick?.toISOString().slice(11, 16)}${currentLock()?.late ? ' late' : ''}`);
      return Promise.resolve();
    }
  }
  return Job;
}

/** Runs at 02:00 and 02:30 (HALF_PAST), then the schedule becomes HOURLY at 02:50; at 03:00 no replica is there. */
describe('the first tick of a new schedule, at which no replica was there', () => {
  it('P8: is made up for also where the last tick of the old schedule was later than the newest one of the new', async () => {
    const first = await boot([job(HALF_PAST, { catchUp: '2h' })]);
    await seconds(50 * 60);
    await first.close();
    const second = await boot([job(HOURLY, { catchUp: '2h' })]);
    await seconds(60);
    await second.close();
    expect(runs).toEqual(['02:30']);
    await seconds(20 * 60);
    await boot([job(HOURLY, { catchUp: '2h' })]);
    await seconds(10);
    expect(runs).toEqual(['02:30', '03:00 late']);
  });

  it('P20: is overdue where the job has no catchUp', async () => {
    const first = await boot([job(HOURLY)]);
    await seconds(41 * 60);
    await first.close();
    const second = await boot([job(HALF_PAST)]);
    await seconds(300);
    await second.close();
    await seconds(3600);
    const third = await boot([job(HALF_PAST)]);
    await seconds(300);
    const { overdue } = await third.get(RedlockJobs).get('job');
    expect(overdue?.tick).toEqual(new Date('2026-03-01T03:30:00Z'));
  });
});

it('P8: a tick whose jitter is over in an outage runs when a majority is there again, as long as its lock is held', async () => {
  const app = await boot([job(HOURLY, { catchUp: '1h', jitter: '10s' })]);
  jest.spyOn(Math, 'random').mockReturnValue(0.9);
  await seconds(3);
  const { client } = app.get(RedlockService);
  const spies = client.shards.servers.map(({ node }) =>
    jest.spyOn(node, 'execute').mockImplementation((_requests, _onReplies, onBroken) => {
      onBroken(new Error('reset'));
    }),
  );
  await seconds(10);
  expect(runs).toEqual([]);
  for (const spy of spies) spy.mockRestore();
  await seconds(60);
  client.events.emit('quorumRegained', { voting: 1, servers: 1, needed: 1, lostForMs: 1 });
  await seconds(120);
  jest.restoreAllMocks();
  expect(runs).toEqual(['02:00']);
});

it('P20: a new job without catchUp is overdue while the holder of its key, another work, keeps it from its ticks', async () => {
  const other = (await boot([])).get(RedlockService);
  await other.acquire('job', '3h');
  const app = await boot([job(HOURLY)]);
  await seconds(600);
  expect(runs).toEqual([]);
  expect(await app.get(RedlockJobs).get('job')).toHaveProperty('overdue');
});

it('P20: a tick is not overdue that has run before the servers came back with older data', async () => {
  const app = await boot([job(HOURLY)]);
  await seconds(600);
  expect(runs).toEqual(['02:00']);
  apps.memory.clear();
  app.get(RedlockService).client.jobs.cover({ keys: 'job' }, Date.parse('2026-03-01T01:00:00Z'));
  await seconds(1);
  expect(await app.get(RedlockJobs).get('job')).not.toHaveProperty('overdue');
});
