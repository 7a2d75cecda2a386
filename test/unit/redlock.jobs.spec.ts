import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Injectable, Logger } from '@nestjs/common';
import { Cron, Interval, SchedulerRegistry, Timeout } from '@nestjs/schedule';
import { CronJob } from 'cron';
import { currentLock, InvalidOptionsError, RedlockEvents, RedlockJobs, RedlockService, WithLock } from 'redlock-nestjs';
import { RedlockTestingModule } from 'redlock-nestjs/testing';
import { beOneOff } from '../../lib/decorators/one-off.js';
import { ONE_OFF } from '../../lib/redlock.constants.js';
import { leaveDeadRun } from '../support/dead-run.js';
import { scheduledApps } from '../support/scheduled-app.js';

const apps = scheduledApps();
const { boot, seconds } = apps;
const at = (time: string): Date => new Date(`2026-03-01T${time}Z`);

let work: () => Promise<unknown>;
beforeEach(() => {
  work = () => Promise.resolve();
});

@Injectable()
class Jobs {
  @Cron('0 0 2 * * *', { timeZone: 'Europe/London' })
  @WithLock('invoices', '10s')
  invoices(): Promise<unknown> {
    return work();
  }
  @Interval(30_000)
  @WithLock(['a', 'b'], '10s', { job: 'sync' })
  sync(): Promise<void> {
    return Promise.resolve();
  }
  @Timeout(1_000_000)
  @WithLock(['x', 'y'], '10s')
  once(): Promise<void> {
    return Promise.resolve();
  }
  @WithLock('unscheduled', '10s')
  unscheduled(): Promise<void> {
    return Promise.resolve();
  }
}

async function jobs(...imports: Parameters<typeof boot>[1][]): Promise<RedlockJobs> {
  return (
    await boot(
      [Jobs],
      imports.flatMap((each) => each ?? []),
    )
  ).get(RedlockJobs);
}

describe('P20: RedlockJobs', () => {
  it('lists the scheduled methods of the application: schedule, next tick, and nothing that has not been', async () => {
    expect(await (await jobs()).list()).toEqual([
      {
        job: 'invoices',
        method: 'Jobs.invoices',
        schedule: '0 0 2 * * *',
        timeZone: 'Europe/London',
        nextTick: at('02:00:00'),
      },
      { job: 'sync', method: 'Jobs.sync', schedule: 'every 30000 ms' },
      { job: 'x, y', method: 'Jobs.once', schedule: 'once' },
    ]);
  });

  it('says which replica runs a job, how the last run ended, and with what error', async () => {
    const [one, other] = [await jobs(), await jobs()];
    work = async () => {
      await new Promise((resolve) => setTimeout(resolve, 5000));
      throw new Error('no paper');
    };
    await seconds(1);
    const owner = expect.stringMatching(/:\d+$/);
    const run = { job: 'invoices', trigger: 'schedule', tick: at('02:00:00'), owner, startedAt: at('02:00:00') };
    expect((await one.get('invoices')).running).toEqual({
      ...run,
      outcome: 'running',
      fencingToken: expect.any(Number),
    });
    await seconds(5);
    const ended = {
      ...run,
      endedAt: at('02:00:05'),
      outcome: 'failed',
      error: 'no paper',
      fencingToken: expect.any(Number),
    };
    for (const each of [one, other]) {
      const status = await each.get('invoices');
      expect(status).toMatchObject({ lastRun: ended, nextTick: new Date('2026-03-02T02:00:00Z') });
      expect(status).not.toHaveProperty('running');
      expect(status).not.toHaveProperty('overdue');
      expect(await each.history('invoices')).toEqual([ended]);
    }
  });

  it.each([
    Object.assign(new Error('x'), { message: { code: 7 } }),
    Object.assign(new Error('x'), { message: Symbol('y') }),
    Object.assign(new Error(''), { name: 3 }),
    Object.create(null),
  ])('gives the lock back and notes the failure, whatever the run throws: %#', async (thrown: unknown) => {
    const all = await jobs();
    work = () =>
      Promise.resolve().then(() => {
        throw thrown;
      });
    await expect(all.runNow('invoices')).rejects.toBe(thrown);
    expect(await all.history('invoices')).toMatchObject([{ outcome: 'failed', error: expect.any(String) }]);
    work = () => Promise.resolve();
    await all.runNow('invoices');
  });

  it('keeps the last runs, the newest first, and gives at most as many as it is asked for', async () => {
    const all = await jobs();
    for (let count = 0; count < 25; count++) await all.runNow('invoices');
    const history = await all.history('invoices');
    expect(history).toHaveLength(20);
    const tokens = history.map(({ fencingToken }) => fencingToken);
    expect(tokens).toEqual(tokens.toSorted((one, two) => two - one));
    expect(await all.history('invoices', { limit: 3 })).toEqual(history.slice(0, 3));
  });

  it('shows a run as died whose replica is gone', async () => {
    const app = await boot([Jobs]);
    leaveDeadRun(app.get(RedlockService), { job: 'invoices', tickMs: at('02:00:00').getTime(), ttlMs: 5000 });
    const all = app.get(RedlockJobs);
    expect((await all.get('invoices')).running).toMatchObject({ owner: 'dead:1', outcome: 'running' });
    await seconds(6);
    const status = await all.get('invoices');
    expect(status.lastRun).toMatchObject({ owner: 'dead:1', outcome: 'died', tick: at('02:00:00') });
    expect(status.lastRun).not.toHaveProperty('endedAt');
  });

  it('names the jobs that there are where it is asked for another one', async () => {
    const all = await jobs();
    for (const ask of [
      () => all.get('invoice'),
      () => all.history('invoice'),
      () => all.pause('invoice'),
      () => all.resume('invoice'),
      () => all.runNow('invoice'),
    ]) {
      const error: unknown = await ask().catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(InvalidOptionsError);
      expect((error as Error).message).toMatch(
        /^job: there is no job with the name "invoice".*"invoices", "sync", "x, y"/,
      );
    }
  });

  it('tells jobs of one name apart by their instance', async () => {
    @Injectable()
    class Other {
      @Cron('0 0 3 * * *')
      @WithLock('invoices', '10s', { instance: 'other' })
      run(): Promise<void> {
        return Promise.resolve();
      }
    }
    const other = RedlockTestingModule.forRoot({ name: 'other' });
    const all = (await boot([Jobs, Other], [other])).get(RedlockJobs);
    await expect(all.get('invoices')).rejects.toThrow(/Jobs\.invoices and Other\.run.*\{ instance \}/);
    expect(await all.get('invoices', { instance: 'other' })).toMatchObject({ method: 'Other.run', instance: 'other' });
    await all.pause('invoices', { instance: 'other' });
    const paused = (await all.list()).filter((status) => status.paused).map(({ method }) => method);
    expect(paused).toEqual(['Other.run']);
    expect(await all.get('invoices', { instance: 'default' })).toMatchObject({ method: 'Jobs.invoices' });
    const listed = async (instance: string): Promise<string[]> =>
      (await all.list({ instance })).map(({ method }) => method);
    expect(await listed('other')).toEqual(['Other.run']);
    expect(await listed('default')).toEqual(['Jobs.invoices', 'Jobs.sync', 'Jobs.once']);
    expect(await listed('third')).toEqual([]);
  });

  it('lists a job whose servers cannot be reached with the reason, and the others as they are', async () => {
    const app = await boot([Jobs]);
    const { client } = app.get(RedlockService);
    const read = client.jobs.read.bind(client.jobs);
    jest
      .spyOn(client.jobs, 'read')
      .mockImplementation((place) =>
        'name' in place && place.name === 'sync' ? Promise.reject(new Error('no majority')) : read(place),
      );
    const all = app.get(RedlockJobs);
    await all.pause('invoices');
    const list = await all.list();
    expect(list.map(({ job, unknown, paused }) => [job, unknown, paused])).toEqual([
      ['invoices', undefined, {}],
      ['sync', 'no majority', undefined],
      ['x, y', undefined, undefined],
    ]);
    await expect(all.history('sync')).rejects.toThrow('no majority');
  });

  it('lists a job whose key function needs arguments, and its register from its first run on', async () => {
    @Injectable()
    class Keyed {
      key: string | undefined;
      @Cron('0 0 2 * * *')
      @WithLock(function (this: Keyed) {
        if (this.key === undefined) throw new Error('not yet');
        return this.key;
      }, '10s')
      run(): Promise<void> {
        return Promise.resolve();
      }
    }
    const app = await boot([Keyed]);
    const all = app.get(RedlockJobs);
    expect(await all.list()).toEqual([
      expect.objectContaining({ job: 'Keyed.run', unknown: expect.stringContaining('not known before its first run') }),
    ]);
    app.get(Keyed).key = 'tenant';
    await seconds(1);
    expect(await all.list()).toEqual([
      expect.objectContaining({ job: 'tenant', lastRun: expect.objectContaining({ outcome: 'succeeded' }) }),
    ]);
  });
});

describe('P20: pause', () => {
  it('keeps all replicas from running the job, also by hand, and resume lets the next tick run', async () => {
    const runs: string[] = [];
    @Injectable()
    class Often {
      @Cron('* * * * * *')
      @WithLock('often', '500ms')
      run(): Promise<void> {
        return Promise.resolve(void runs.push('run'));
      }
    }
    const replicas = [await boot([Often]), await boot([Often])];
    const [all, other] = replicas.map((app) => app.get(RedlockJobs)) as [RedlockJobs, RedlockJobs];
    const reasons = new Set<string>();
    for (const app of replicas) app.get(RedlockEvents).on('skipped', ({ reason }) => reasons.add(reason));
    await all.pause('often', { reason: 'database is moved' });
    await seconds(5);
    expect([runs, [...reasons]]).toEqual([[], ['paused']]);
    await expect(replicas[0]!.get(Often).run()).rejects.toMatchObject({ code: 'LOCK_CONTENDED', reason: 'paused' });
    await expect(other.runNow('often')).rejects.toMatchObject({ code: 'LOCK_CONTENDED', reason: 'paused' });
    expect((await other.get('often')).paused).toEqual({ reason: 'database is moved' });
    await other.resume('often');
    await seconds(3);
    expect(runs).toHaveLength(3);
    expect(await all.get('often')).not.toHaveProperty('paused');
  });

  it('ends by itself after the time that it was given', async () => {
    const all = await jobs();
    await all.pause('invoices', { for: '10m' });
    expect((await all.get('invoices')).paused).toEqual({ until: at('02:09:59.500') });
    await seconds(601);
    expect(await all.get('invoices')).not.toHaveProperty('paused');
    expect(await all.runNow('invoices')).toMatchObject({ outcome: 'succeeded' });
  });

  it.each<[Parameters<RedlockJobs['pause']>[1], RegExp]>([
    [{ for: 0 }, /^for: .*at least 1/],
    [{ for: 'soon' as never }, /^for: /],
    [{ for: Infinity }, /^for: /],
    [{ reason: 'x'.repeat(201) }, /^reason: takes a text of at most 200 characters/],
    [{ reason: 7 as never }, /^reason: /],
    [{ reason: 'ж'.repeat(101) }, /^reason: takes a text of at most 200 characters, or of 600 bytes/],
    [{ until: 5 } as never, /^until: is not an option of pause/],
  ])('refuses %j by name', async (options, message) => {
    const all = await jobs();
    await expect(all.pause('invoices', options)).rejects.toThrow(message);
    await expect(all.pause('invoices', options)).rejects.toBeInstanceOf(InvalidOptionsError);
  });
});

describe('P20: runNow', () => {
  it('calls the method under its lock, counts as no tick, and resolves with the run when it has ended', async () => {
    const all = await jobs();
    let ticks = 0;
    work = async () => {
      if (currentLock()?.tick !== undefined) ticks++;
      expect(currentLock()?.keys).toEqual(['invoices']);
      await new Promise((resolve) => setTimeout(resolve, 200));
    };
    const [run] = await Promise.all([all.runNow('invoices'), seconds(0.3)]);
    expect(run).toEqual({
      job: 'invoices',
      trigger: 'manual',
      owner: expect.any(String),
      startedAt: at('01:59:59.500'),
      endedAt: at('01:59:59.700'),
      outcome: 'succeeded',
      fencingToken: expect.any(Number),
    });
    await seconds(1);
    expect(ticks).toBe(1);
    const history = await all.history('invoices');
    expect(history.map(({ trigger }) => trigger)).toEqual(['schedule', 'manual']);
    expect(history[1]).toEqual(run);
  });

  it('rejects with the error of the method, and at once while it runs elsewhere', async () => {
    const [all, other] = [await jobs(), await jobs()];
    work = () => Promise.reject(new Error('no paper'));
    let begun = 0;
    const onBegun = (): number => ++begun;
    await expect(all.runNow('invoices', { onBegun })).rejects.toThrow('no paper');
    expect(begun).toBe(1);
    work = () => new Promise((resolve) => setTimeout(resolve, 1000));
    const running = all.runNow('invoices');
    await seconds(0);
    const refused = other.runNow('invoices', { onBegun });
    await expect(refused).rejects.toMatchObject({ code: 'LOCK_CONTENDED', reason: 'locked' });
    expect(begun).toBe(1);
    await Promise.all([running, seconds(1)]);
    expect(await all.runNow('sync')).toMatchObject({ job: 'sync', outcome: 'succeeded' });
    expect(await all.runNow('x, y')).toMatchObject({ job: 'x, y', outcome: 'succeeded' });
  });

  it('does not wait, also where the method says that its calls do', async () => {
    @Injectable()
    class Patient {
      @Cron('0 0 3 * * *')
      @WithLock('patient', '10s', { wait: '1h', onContended: 'skip' })
      run(): Promise<unknown> {
        return work();
      }
    }
    const all = (await boot([Patient])).get(RedlockJobs);
    work = () => new Promise((resolve) => setTimeout(resolve, 1000));
    const running = all.runNow('patient');
    await seconds(0);
    await expect(all.runNow('patient')).rejects.toMatchObject({ code: 'LOCK_CONTENDED', reason: 'locked' });
    await Promise.all([running, seconds(1)]);
  });

  it('says so where another decorator has kept the call', async () => {
    const never: MethodDecorator = (_, __, descriptor) => {
      Object.assign(descriptor, { value: () => Promise.resolve() });
    };
    @Injectable()
    class Kept {
      @Cron('0 0 2 * * *')
      @never
      @WithLock('kept', '10s')
      run(): Promise<void> {
        return Promise.resolve();
      }
    }
    const all = (await boot([Kept])).get(RedlockJobs);
    await expect(all.runNow('kept')).rejects.toThrow('Kept.run was to run by hand, and did not');
  });

  it('tells of a failure that a decorator above has kept, as the history does, and of a run that it has not waited for', async () => {
    const kept =
      (waits: boolean): MethodDecorator =>
      (_, __, descriptor) => {
        const inner = descriptor.value as unknown as (this: unknown) => Promise<unknown>;
        const value = async function (this: unknown): Promise<unknown> {
          const call = inner.call(this).catch(() => undefined);
          return waits ? await call : await new Promise((resolve) => setTimeout(resolve, 10));
        };
        Object.assign(descriptor, { value });
      };
    @Injectable()
    class Quiet {
      @Cron('0 0 3 * * *')
      @kept(true)
      @WithLock('quiet', '10s')
      quiet(): Promise<void> {
        return Promise.reject(new Error('no paper'));
      }
      @Cron('0 0 3 * * *')
      @kept(false)
      @WithLock('hasty', '10s')
      hasty(): Promise<void> {
        return new Promise((resolve) => setTimeout(resolve, 1000));
      }
    }
    const all = (await boot([Quiet])).get(RedlockJobs);
    const quiet = await all.runNow('quiet');
    expect(quiet).toMatchObject({ outcome: 'failed', error: 'no paper' });
    expect(await all.history('quiet')).toEqual([quiet]);
    const [hasty] = await Promise.all([all.runNow('hasty'), seconds(0.1)]);
    expect(hasty.outcome).toBe('running');
    expect(hasty).not.toHaveProperty('endedAt');
    await seconds(1);
  });

  it('takes the locks of all decorators of the method', async () => {
    let keys: (readonly string[] | undefined)[] = [];
    @Injectable()
    class Stacked {
      @Cron('0 0 2 * * *')
      @WithLock('outer', '10s')
      @WithLock('inner', '10s')
      run(): Promise<void> {
        keys = [currentLock()?.keys];
        return Promise.resolve();
      }
    }
    const all = (await boot([Stacked])).get(RedlockJobs);
    expect((await all.list()).map(({ job }) => job)).toEqual(['outer']);
    expect(await all.runNow('outer')).toMatchObject({ job: 'outer' });
    expect(keys).toEqual([['inner']]);
  });
});

describe('P20: add', () => {
  const runs: (Date | undefined)[] = [];
  beforeEach(() => {
    runs.splice(0);
  });

  /** As an application does it that gets its schedules from a database. */
  async function replica(): Promise<{ all: RedlockJobs; cron: CronJob; remove: () => void }> {
    const app = await boot([]);
    const all = app.get(RedlockJobs);
    const cron: CronJob = new CronJob('* * * * * *', () => mails.fire());
    const run = (): Promise<void> => Promise.resolve(void runs.push(currentLock()?.tick));
    const mails = all.add('mails', { cron, run, ttl: '500ms', method: 'Mails' });
    app.get(SchedulerRegistry).addCronJob('mails', cron);
    cron.start();
    return { all, cron, remove: mails.remove };
  }

  it('makes a job of a CronJob: each tick runs on one replica, and it can be seen and steered', async () => {
    const [{ all }] = [await replica(), await replica()];
    await seconds(3);
    expect(runs).toEqual([at('02:00:00'), at('02:00:01'), at('02:00:02')]);
    expect(await all.list()).toEqual([
      {
        job: 'mails',
        method: 'Mails',
        schedule: '* * * * * *',
        nextTick: at('02:00:03'),
        lastRun: expect.objectContaining({ trigger: 'schedule', outcome: 'succeeded', tick: at('02:00:02') }),
      },
    ]);
    await all.pause('mails');
    await seconds(2);
    expect(runs).toHaveLength(3);
    await all.resume('mails');
    expect(await all.runNow('mails')).toMatchObject({ job: 'mails', trigger: 'manual' });
    expect(runs).toHaveLength(4);
  });

  it('fires no tick in a process that was started to run one job, by the command, and runs that', async () => {
    beOneOff();
    try {
      const { all } = await replica();
      await seconds(3);
      expect(runs).toEqual([]);
      await all.runNow('mails');
      expect(runs).toEqual([undefined]);
    } finally {
      Reflect.deleteProperty(globalThis, ONE_OFF);
    }
  });

  it('P20: is overdue for no tick of before it was added, but for one after that', async () => {
    const all = (await boot([])).get(RedlockJobs);
    await seconds(90);
    const cron = new CronJob('0 * * * * *', () => undefined);
    all.add('forgotten', { cron, run: () => Promise.resolve() });
    cron.start();
    await seconds(25); // 02:01:54, when 02:01 would be overdue.
    expect(await all.get('forgotten')).not.toHaveProperty('overdue');
    await seconds(60);
    expect(await all.get('forgotten')).toMatchObject({ overdue: { tick: at('02:02:00') } });
    await cron.stop();
  });

  it('P17: writes the error of a run to the log, once, and throws nothing at the CronJob', async () => {
    const logged = jest.spyOn(Logger.prototype, 'error').mockReturnValue();
    const app = await boot([]);
    const cron: CronJob = new CronJob('* * * * * *', () => mails.fire());
    const mails = app.get(RedlockJobs).add('mails', { cron, run: () => Promise.reject(new Error('no paper')) });
    cron.start();
    await seconds(1);
    await cron.stop();
    expect(logged.mock.calls).toEqual([['mails has failed. no paper', expect.stringContaining('no paper')]]);
    logged.mockRestore();
  });

  it('refuses what is wrong, and a name that is taken', async () => {
    const { all, cron, remove } = await replica();
    const run = (): Promise<void> => Promise.resolve();
    expect(() => all.add('mails', { cron, run })).toThrow(/^job: "mails" is the name of two scheduled jobs/);
    expect(() => all.add('', { cron, run })).toThrow(/^key: /);
    expect(() => all.add('other', { cron, run, ttl: 2 })).toThrow(/^ttl: takes at least \d+ ms, because ttl x/);
    expect(() => all.add('new', { run } as never)).toThrow(/^cron: takes a CronJob/);
    expect(() => all.add('new', { cron } as never)).toThrow(/^run: takes a function/);
    expect(() => all.add('new', { cron, run, ttl: -1 })).toThrow(/^ttl: /);
    expect(() => all.add('new', { cron, run, catchUp: 0 })).toThrow(/^catchUp: /);
    expect(() => all.add('new', { cron, run, perTick: false } as never)).toThrow(
      /^perTick: is not an option of jobs.add/,
    );
    expect(() => all.add('new', { cron, run, instance: 'none' })).toThrow(/^instance: there is no RedlockModule/);
    remove();
    expect(await all.list()).toEqual([]);
    all.add('mails', { cron, run });
  });

  it('makes up for ticks as a decorated method does', async () => {
    const { all } = await replica();
    const nightly = new CronJob('0 * * * * *', () => job.fire());
    const job = all.add('minutely', {
      cron: nightly,
      run: () => Promise.resolve(void runs.push(currentLock()?.tick)),
      catchUp: '1h',
      onCrash: 'again',
    });
    nightly.start();
    await seconds(1);
    await nightly.stop();
    await seconds(120);
    nightly.start();
    const again = (await boot([])).get(RedlockJobs);
    runs.splice(0);
    again.add('minutely', { cron: nightly, run: () => Promise.resolve(void runs.push(at('00:00:00'))), catchUp: '1h' });
    await seconds(5);
    expect(runs.filter((each) => each?.getTime() === at('00:00:00').getTime())).toHaveLength(1);
  });
});
