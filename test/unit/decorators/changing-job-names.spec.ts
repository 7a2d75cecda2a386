import { describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Cron } from '@nestjs/schedule';
import { WithLock } from 'redlock-nestjs';
import { scheduledApps } from '../../support/scheduled-app.js';

describe('job names that change', () => {
  const { boot, seconds, logger } = scheduledApps();

  it('P8: no tick is lost where a job has the name that another one had before', async () => {
    const second = (): number => Math.floor(Date.now() / 1000);
    let [first, late] = [0, 0];
    @Injectable()
    class Jobs {
      @Cron('* * * * * *')
      @WithLock(() => `report:${second() - 1}`, '500ms')
      corrects(): Promise<void> {
        late++;
        return Promise.resolve();
      }
      @Cron('* * * * * *')
      @WithLock(() => `report:${second()}`, '500ms')
      makes(): Promise<void> {
        first++;
        return Promise.resolve();
      }
    }
    await boot([Jobs]);
    await seconds(4.2);
    expect({ first, late, problems: logger.problems }).toEqual({ first: 4, late: 4, problems: [] });
  });
});
