import { beforeEach, expect, it } from '@jest/globals';
import { Injectable, type Type } from '@nestjs/common';
import { Cron } from '@nestjs/schedule';
import { currentLock, RedlockJobs, RedlockService, WithLock, type WithLockOptions } from 'redlock-nestjs';
import { scheduledApps } from '../../support/scheduled-app.js';

const apps = scheduledApps();
const { boot, seconds } = apps;
let runs: string[] = [];
let takesMs = 0;
beforeEach(() => {
  [runs, takesMs] = [[], 0];
});

function hourly(options: WithLockOptions = {}): Type {
  @Injectable()
  class Job {
    @Cron('0 0 * * * *', { name: 'job' })
    @WithLock('job', '10s', options)
    async run(): Promise<void> {
      runs.push(`${currentLock()?.tick?.toISOString().slice(11, 19)}${currentLock()?.late ? ' late' : ''}`);
      if (takesMs > 0) await new Promise((resolve) => setTimeout(resolve, takesMs));
    }
  }
  return Job;
}

for (const { what, coveredMs } of [
  { what: 'without their data', coveredMs: undefined },
  { what: 'with older data', coveredMs: Date.parse('2026-03-01T01:00:00Z') },
]) {
  it.each([0, 5000])(
    `P8: catchUp runs no tick again where the servers come back ${what} (a run of %i ms)`,
    async (ms) => {
      takesMs = ms;
      const job = hourly({ catchUp: '2h' });
      const services = [(await boot([job])).get(RedlockService), (await boot([job])).get(RedlockService)];
      await seconds(60);
      apps.memory.clear();
      if (coveredMs !== undefined) services[0]?.client.jobs.cover({ keys: 'job' }, coveredMs);
      for (const { client } of services)
        client.events.emit('quorumRegained', { voting: 1, servers: 1, needed: 1, lostForMs: 1 });
      await seconds(60);
      expect(runs).toEqual(['02:00:00']);
    },
  );
}

it.each([0, 5000])(
  'P20: a tick is not overdue that has run before the servers lost their data (a run of %i ms)',
  async (ms) => {
    const job = hourly();
    const replicas = [await boot([job]), await boot([job])];
    await seconds(600);
    takesMs = ms;
    await seconds(3600);
    expect(runs).toEqual(['02:00:00', '03:00:00']);
    apps.memory.clear();
    for (const app of replicas) expect(await app.get(RedlockJobs).get('job')).not.toHaveProperty('overdue');
  },
);
