import { expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { WithLock } from 'redlock-nestjs';
import { scheduledApps } from '../../support/scheduled-app.js';

const { boot } = scheduledApps();

/** The ttl of the module is 10 s here, which is too short for this hold. */
class Base {
  @WithLock('report', undefined, { minHold: '15s' })
  run(): Promise<string> {
    return Promise.resolve('base');
  }
}

it('P9: an override with terms of its own boots: what it overrides is never called', async () => {
  @Injectable()
  class Own extends Base {
    @WithLock('report', '1m', { minHold: '15s' })
    override run(): Promise<string> {
      return Promise.resolve('own');
    }
  }
  const app = await boot([Own]);
  expect(await app.get(Own).run()).toBe('own');
});

it('P9: so does one that has dropped the lock', async () => {
  @Injectable()
  class Unlocked extends Base {
    override run(): Promise<string> {
      return Promise.resolve('unlocked');
    }
  }
  const app = await boot([Unlocked]);
  expect(await app.get(Unlocked).run()).toBe('unlocked');
});
