import { expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Cron, SchedulerRegistry } from '@nestjs/schedule';
import { WithLock } from 'redlock-nestjs';
import { scheduledApps } from '../../support/scheduled-app.js';

const { boot } = scheduledApps();

@Injectable()
class Plain {
  @Cron('0 0 2 29 2 *', { name: 'leap', timeZone: 'UTC' })
  leap(): Promise<void> {
    return Promise.resolve();
  }
}

@Injectable()
class Locked {
  @Cron('0 0 2 29 2 *', { name: 'leap', timeZone: 'UTC' })
  @WithLock('leap', '10s')
  leap(): Promise<void> {
    return Promise.resolve();
  }
}

for (const type of [Plain, Locked]) {
  it(`a job of the 29th of February boots: ${type.name}`, async () => {
    const app = await boot([type]);
    expect(app.get(SchedulerRegistry).getCronJob('leap').nextDate().toISO()).toContain('2028-02-29');
  });
}
