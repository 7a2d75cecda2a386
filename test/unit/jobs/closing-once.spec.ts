import { describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Cron } from '@nestjs/schedule';
import { RedlockEvents, RedlockService, WithLock } from 'redlock-nestjs';
import { scheduledApps } from '../../support/scheduled-app.js';

@Injectable()
class Skipping {
  @Cron('0 * * * * *')
  @WithLock('invoices', '20s')
  send(): Promise<void> {
    return Promise.resolve();
  }
}

@Injectable()
class Waiting {
  @Cron('0 * * * * *')
  @WithLock('invoices', '20s', { onContended: 'wait' })
  send(): Promise<void> {
    return Promise.resolve();
  }
}

describe('P15: a tick that waits for its lock when the shutdown begins', () => {
  const apps = scheduledApps();

  it.each([Skipping, Waiting])('is one skip, not two: %p', async (Jobs) => {
    const holder = await apps.boot([]);
    const lock = await holder.get(RedlockService).acquire('invoices', '30s');
    const app = await apps.boot([Jobs]);
    const reasons: string[] = [];
    app.get(RedlockEvents).on('skipped', ({ reason }) => reasons.push(reason));
    await apps.seconds(0.7);
    expect(reasons).toEqual([]);
    await app.get(RedlockService).drain();
    await apps.seconds(0.1);
    expect(reasons).toEqual(['closing']);
    await lock.release();
  });
});
