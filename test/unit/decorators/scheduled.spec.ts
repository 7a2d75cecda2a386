import { describe, expect, it, jest } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Cron, Interval, SchedulerRegistry, Timeout } from '@nestjs/schedule';
import { CronTime } from 'cron';
import { WithLock } from 'redlock-nestjs';
import { scheduledApps } from '../../support/scheduled-app.js';

const EVERY_SECOND = '* * * * * *';
const NIGHTLY = '0 0 2 * * *';

describe('P8: a call of a scheduled method', () => {
  const { boot, seconds, logger } = scheduledApps();

  it('by hand takes the lock, runs and returns, before the tick of the day and after it', async () => {
    let runs = 0;
    @Injectable()
    class Job {
      @Cron(NIGHTLY)
      @WithLock('nightly', '10s')
      run(): Promise<number> {
        return Promise.resolve(++runs);
      }
    }
    const [job, other] = [(await boot([Job])).get(Job), (await boot([Job])).get(Job)];
    expect([await job.run(), await other.run(), await job.run()]).toEqual([1, 2, 3]);
    await seconds(1);
    expect(runs).toBe(4);
    expect([await job.run(), await other.run()]).toEqual([5, 6]);
    await seconds(24 * 3600);
    expect(runs).toBe(7);
    expect(logger.problems).toEqual([]);
  });

  it('by another job runs, whatever the schedules of the two, and returns its result', async () => {
    const seen: string[] = [];
    @Injectable()
    class Jobs {
      @Cron(EVERY_SECOND)
      @WithLock('locked', '500ms')
      async locked(): Promise<void> {
        seen.push(`locked got ${await this.refresh()}`);
      }
      @Cron(EVERY_SECOND)
      async unlocked(): Promise<void> {
        seen.push(`unlocked got ${await this.refresh()}`);
      }
      @Cron(EVERY_SECOND, { disabled: true })
      @WithLock('refresh', '500ms')
      refresh(): Promise<number> {
        return Promise.resolve(42);
      }
    }
    await boot([Jobs]);
    await seconds(3);
    expect(seen.toSorted()).toEqual([
      ...Array<string>(3).fill('locked got 42'),
      ...Array<string>(3).fill('unlocked got 42'),
    ]);
  });

  it('through job.fireOnTick() is by hand, and the next firing of its timer is a tick again', async () => {
    let runs = 0;
    @Injectable()
    class Job {
      @Cron(EVERY_SECOND, { name: 'job' })
      @WithLock('job', '500ms')
      run(): Promise<void> {
        runs++;
        return Promise.resolve();
      }
    }
    const apps = [await boot([Job]), await boot([Job])];
    await seconds(1);
    expect(runs).toBe(1);
    for (const app of apps) await app.get(SchedulerRegistry).getCronJob('job').fireOnTick();
    await seconds(0.01);
    expect(runs).toBe(3);
    await seconds(1);
    expect(runs).toBe(4);
  });

  it('is a tick also where a decorator above waits before it calls', async () => {
    const slow: MethodDecorator = (_, __, descriptor) => {
      const { value } = descriptor as { value?: (this: unknown) => Promise<void> };
      const later = async function (this: unknown): Promise<void> {
        await Promise.resolve();
        await new Promise((resolve) => setTimeout(resolve, 50));
        await value?.call(this);
      };
      Object.assign(descriptor, { value: later });
    };
    let runs = 0;
    @Injectable()
    class Job {
      @Cron(EVERY_SECOND)
      @slow
      @WithLock('slow', '500ms')
      run(): Promise<void> {
        runs++;
        return Promise.resolve();
      }
    }
    for (let replica = 0; replica < 3; replica++) await boot([Job]);
    await seconds(3.2);
    expect(runs).toBe(3);
  });

  it('belongs to the ticks of the time that its job was given last', async () => {
    let runs = 0;
    @Injectable()
    class Job {
      @Cron(NIGHTLY, { name: 'moved' })
      @WithLock('moved', '500ms')
      run(): Promise<void> {
        runs++;
        return Promise.resolve();
      }
    }
    for (let replica = 0; replica < 2; replica++) {
      (await boot([Job])).get(SchedulerRegistry).getCronJob('moved').setTime(new CronTime(EVERY_SECOND));
    }
    await seconds(4);
    expect(runs).toBe(4);
  });

  it('that its timer makes twice for one instant, as cron does after it has missed one, is one run', async () => {
    let runs = 0;
    @Injectable()
    class Job {
      @Cron(NIGHTLY, { name: 'twice' })
      @WithLock('twice', '500ms')
      run(): Promise<void> {
        runs++;
        return Promise.resolve();
      }
    }
    const job = (await boot([Job])).get(SchedulerRegistry).getCronJob('twice');
    Object.assign(job, { lastExecution: new Date() });
    await Promise.all([job.fireOnTick(), job.fireOnTick()]);
    await seconds(0.1);
    expect(runs).toBe(1);
  });
});

describe('P8: a job whose time passes while it is being made', () => {
  const { boot, seconds } = scheduledApps();

  it('fires at once, and that is the tick, which has run', async () => {
    let runs = 0;
    @Injectable()
    class Job {
      @Cron(EVERY_SECOND)
      @WithLock('job', '500ms')
      run(): Promise<void> {
        runs++;
        return Promise.resolve();
      }
    }
    await boot([Job]);
    await seconds(0.51);
    expect(runs).toBe(1);
    // To find the next time takes a process that has just started some milliseconds, and by then it was 10 ms ago.
    const warn = jest.spyOn(console, 'warn').mockReturnValue();
    const getTimeout = jest.spyOn(CronTime.prototype, 'getTimeout').mockReturnValueOnce(-10);
    await boot([Job]);
    expect(warn).toHaveBeenCalledWith(expect.stringContaining('Executing immediately'));
    for (const spy of [warn, getTimeout]) spy.mockRestore();
    await seconds(0.4);
    expect(runs).toBe(1);
    await seconds(1);
    expect(runs).toBe(2);
  });
});

describe('P8: two jobs with one key', () => {
  const { boot, seconds } = scheduledApps();

  it('and two names exclude each other, and each runs all of its ticks', async () => {
    let [atWork, together] = [0, 0];
    const runs = { mails: 0, invoices: 0 };
    const work = async (which: keyof typeof runs): Promise<void> => {
      together = Math.max(together, ++atWork);
      await new Promise((resolve) => setTimeout(resolve, 50));
      runs[which]++;
      atWork--;
    };
    @Injectable()
    class Jobs {
      @Cron(EVERY_SECOND)
      @WithLock('sync', '500ms', { job: 'mails' })
      mails(): Promise<void> {
        return work('mails');
      }
      @Cron(EVERY_SECOND)
      @WithLock('sync', '500ms', { job: 'invoices' })
      invoices(): Promise<void> {
        return work('invoices');
      }
    }
    for (let replica = 0; replica < 2; replica++) await boot([Jobs]);
    await seconds(5.2);
    expect([runs, together]).toEqual([{ mails: 5, invoices: 5 }, 1]);
  });

  it('and two names run once per interval each, also where one waits for the other', async () => {
    const runs = { stock: 0, prices: 0, once: 0 };
    const work = async (which: keyof typeof runs): Promise<void> => {
      runs[which]++;
      await new Promise((resolve) => setTimeout(resolve, 100));
    };
    @Injectable()
    class Jobs {
      @Interval(1000)
      @WithLock('sync', '500ms', { job: 'stock' })
      stock(): Promise<void> {
        return work('stock');
      }
      @Interval(1000)
      @WithLock('sync', '500ms', { job: 'prices' })
      prices(): Promise<void> {
        return work('prices');
      }
      @Timeout(1500)
      @WithLock('once', '500ms')
      once(): Promise<void> {
        return work('once');
      }
    }
    const jobs = (await boot([Jobs])).get(Jobs);
    for (let replica = 0; replica < 2; replica++) await boot([Jobs]);
    await seconds(10.4);
    expect(runs).toEqual({ stock: 10, prices: 10, once: 1 });
    // By hand: neither held up by the interval, nor claiming it.
    await Promise.all([jobs.stock(), jobs.stock(), seconds(0.4)]);
    expect(runs.stock).toBe(12);
    await seconds(1);
    expect(runs.stock).toBe(13);
  });
});

describe('P8: a method that calls the one it overrides', () => {
  const { boot, seconds, logger } = scheduledApps();

  it('is one call with it: one tick, and the same key is not waited for; another key is locked as well', async () => {
    const seen: string[] = [];
    abstract class Base {
      @Cron(EVERY_SECOND)
      @WithLock('same', '500ms')
      run(): Promise<void> {
        return Promise.resolve(void seen.push('base'));
      }
      @WithLock('inner', '500ms')
      other(): Promise<void> {
        return Promise.resolve(void seen.push('inner'));
      }
    }
    @Injectable()
    class Derived extends Base {
      @Cron(EVERY_SECOND)
      @WithLock('same', '500ms')
      override async run(): Promise<void> {
        seen.push('derived');
        await super.run();
      }
      @WithLock('outer', '500ms')
      override async other(): Promise<void> {
        await super.other();
      }
    }
    const derived = (await boot([Derived])).get(Derived);
    await boot([Derived]);
    await seconds(2);
    expect(seen).toEqual(['derived', 'base', 'derived', 'base']);
    await derived.other();
    expect(seen.at(-1)).toBe('inner');
    expect(logger.problems).toEqual([]);
  });

  it('stacked on one method, the lock of both is taken, and the tick once', async () => {
    let [two, twice] = [0, 0];
    @Injectable()
    class Job {
      @Cron(EVERY_SECOND)
      @WithLock('outer', '500ms')
      @WithLock('inner', '500ms')
      two(): Promise<void> {
        two++;
        return Promise.resolve();
      }
      @Cron(EVERY_SECOND)
      @WithLock('twice', '500ms')
      @WithLock('twice', '500ms')
      twice(): Promise<void> {
        twice++;
        return Promise.resolve();
      }
    }
    for (let replica = 0; replica < 2; replica++) await boot([Job]);
    await seconds(3);
    expect([two, twice]).toEqual([3, 3]);
  });
});
