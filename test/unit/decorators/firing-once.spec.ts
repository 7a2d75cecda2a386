import { describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Cron, Interval } from '@nestjs/schedule';
import { WithLock } from 'redlock-nestjs';
import { scheduledApps } from '../../support/scheduled-app.js';

type Method = (this: unknown, ...args: unknown[]) => Promise<unknown>;

/** A decorator that puts something around the method, as libraries do that know nothing of locks. */
const around =
  (wrap: (method: Method) => Method): MethodDecorator =>
  (_, __, descriptor) => {
    const { value } = descriptor as { value?: Method };
    Object.assign(descriptor, { value: wrap(value!) });
  };

describe('P8: a decorator between @Cron and @WithLock that calls the method more than once', () => {
  const { boot, seconds } = scheduledApps();
  const forEachTenant = around(
    (method) =>
      async function (this: unknown) {
        for (const tenant of ['a', 'b', 'c']) await method.call(this, tenant);
      },
  );

  it('once for each tenant: each tick of each tenant runs on one replica', async () => {
    const runs: Record<string, number> = { a: 0, b: 0, c: 0 };
    @Injectable()
    class Jobs {
      @Cron('* * * * * *')
      @forEachTenant
      @WithLock((tenant: string) => `report:${tenant}`, '500ms')
      report(tenant: string): Promise<void> {
        runs[tenant]!++;
        return Promise.resolve();
      }
    }
    for (let replica = 0; replica < 2; replica++) await boot([Jobs]);
    await seconds(3.9);
    expect(runs).toEqual({ a: 4, b: 4, c: 4 });
  });

  it('once for each tenant: so does an interval', async () => {
    const runs: Record<string, number> = { a: 0, b: 0, c: 0 };
    @Injectable()
    class Jobs {
      @Interval(1000)
      @forEachTenant
      @WithLock((tenant: string) => `report:${tenant}`, '500ms')
      report(tenant: string): Promise<void> {
        runs[tenant]!++;
        return Promise.resolve();
      }
    }
    for (let replica = 0; replica < 2; replica++) await boot([Jobs]);
    await seconds(3.9);
    expect(runs).toEqual({ a: 3, b: 3, c: 3 });
  });

  it('a retry of a call that did not get its lock does not run a tick that another replica has run', async () => {
    let runs = 0;
    const retried = around(
      (method) =>
        async function (this: unknown) {
          try {
            return await method.call(this);
          } catch {
            await new Promise((resolve) => setTimeout(resolve, 100));
            return await method.call(this);
          }
        },
    );
    @Injectable()
    class Job {
      @Cron('* * * * * *')
      @retried
      @WithLock('job', '500ms', { onContended: 'throw' })
      run(): Promise<void> {
        runs++;
        return Promise.resolve();
      }
    }
    for (let replica = 0; replica < 3; replica++) await boot([Job]);
    await seconds(3.9);
    expect(runs).toBe(4);
  });

  it('a retry of work that failed runs it again, on the replica that had it', async () => {
    const runs: number[] = [];
    const retried = around(
      (method) =>
        async function (this: unknown) {
          return await method.call(this).catch(async () => await method.call(this));
        },
    );
    @Injectable()
    class Job {
      @Cron('* * * * * *')
      @retried
      @WithLock('job', '500ms')
      run(): Promise<void> {
        runs.push(Math.floor(Date.now() / 1000));
        return runs.length % 2 === 1 ? Promise.reject(new Error('the first try')) : Promise.resolve();
      }
    }
    for (let replica = 0; replica < 3; replica++) await boot([Job]);
    await seconds(3.9);
    expect(runs).toHaveLength(8);
    expect(new Set(runs).size).toBe(4);
  });
});
