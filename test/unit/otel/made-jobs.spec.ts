import { describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Cron } from '@nestjs/schedule';
import { WithLock } from 'redlock-nestjs';
import { RedlockOtelModule } from 'redlock-nestjs/otel';
import { scheduledApps } from '../../support/scheduled-app.js';
import { Telemetry } from '../../support/telemetry.js';

@Injectable()
class Jobs {
  @Cron('0 0 3 * * *')
  @WithLock((tenant = 'all') => `sync:${String(tenant)}`, '5s')
  sync(_tenant?: string): Promise<void> {
    return Promise.resolve();
  }

  @Cron('0 0 4 * * *')
  @WithLock('report', '5s')
  report(): Promise<void> {
    return Promise.resolve();
  }
}

describe('a job whose key a function makes', () => {
  const apps = scheduledApps();

  it('has 20 series of its own, and one more: a route may call it for each user', async () => {
    const telemetry = new Telemetry();
    const app = await apps.boot([Jobs], [RedlockOtelModule.forRoot(telemetry.options)]);
    const jobs = app.get(Jobs);
    for (let user = 1; user <= 50; user++) await jobs.sync(`user-${user}`);
    await jobs.sync('user-1');
    await jobs.report();
    for (const name of ['redlock.grants', 'redlock.job.runs', 'redlock.wait.duration']) {
      const points = await telemetry.points(name);
      const counts = Object.fromEntries(
        points.map(({ value, attributes }) => [String(attributes['redlock.job']), value]),
      );
      expect({ name, count: points.length, ...counts }).toMatchObject({
        ...{ name, count: 22, 'sync:user-1': 2, 'sync:user-20': 1, undefined: 30, report: 1 },
      });
    }
    expect(telemetry.spansOf('redlock.hold').at(49)!.attributes['redlock.job']).toBe('sync:user-50');
    await telemetry.shutdown();
  });
});
