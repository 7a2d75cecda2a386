import { expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { WithLock } from 'redlock-nestjs';
import { scheduledApps } from '../../support/scheduled-app.js';

const { boot } = scheduledApps();

it('P9: an override with terms of its own boots: what it overrides is never called', async () => {
  @Injectable()
  class Base {
    @WithLock('report', undefined, { minHold: '15s' })
    run(): Promise<string> {
      return Promise.resolve('base');
    }
  }
  // The ttl of this application's module is 10 s, which is too short for the hold. So it says its own.
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
  class Base {
    @WithLock('report', undefined, { minHold: '15s' })
    run(): Promise<string> {
      return Promise.resolve('base');
    }
  }
  @Injectable()
  class Unlocked extends Base {
    override run(): Promise<string> {
      return Promise.resolve('unlocked');
    }
  }
  const app = await boot([Unlocked]);
  expect(await app.get(Unlocked).run()).toBe('unlocked');
});
