import { afterEach, describe, expect, it } from '@jest/globals';
import { Injectable, type DynamicModule, type OnModuleInit, type Provider } from '@nestjs/common';
import { Cron, Interval, ScheduleModule } from '@nestjs/schedule';
import { Test, type TestingModule } from '@nestjs/testing';
import { CronJob } from 'cron';
import { RedlockJobs, RedlockModule, RedlockService, WithLock, type WithLockOptions } from 'redlock-nestjs';
import { REDLOCK_SERVERS, RedlockMemory, RedlockTestingModule } from 'redlock-nestjs/testing';
import { RedlockDashboardModule } from 'redlock-nestjs/dashboard';

const apps: TestingModule[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

async function boot(
  module: DynamicModule,
  providers: Provider[] = [],
  more: DynamicModule[] = [],
): Promise<TestingModule> {
  const app = await Test.createTestingModule({ imports: [ScheduleModule.forRoot(), module, ...more], providers })
    .overrideProvider(REDLOCK_SERVERS)
    .useValue(new RedlockMemory())
    .setLogger(false as never)
    .compile();
  apps.push(app);
  await app.init();
  return app;
}
const outcome = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'accepted',
    (error: unknown) => String(error),
  );
const tryIt = (f: () => unknown): string => {
  try {
    f();
    return 'accepted';
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`;
  }
};

describe('P16: bad input is refused early', () => {
  it('jobs.add of keys that belong to different shards', async () => {
    const app = await boot(RedlockModule.forRoot({ shards: [['a:1'], ['b:1'], ['c:1']] }));
    const [one = '', other = ''] = ['k1', 'k2', 'k3', 'k4', 'k5', 'k6'].filter(
      (k, i, all) => i === 0 || app.get(RedlockService).apart([all[0]!, k]),
    );
    const cron = new CronJob('0 0 3 * * *', () => undefined);
    const run = (): Promise<void> => Promise.resolve();
    expect(tryIt(() => app.get(RedlockJobs).add('mails', { cron: cron, key: [one, other], run }))).toMatch(
      /^InvalidOptionsError: key/,
    );
  });

  it('forRootAsync with an option that is not known', async () => {
    const options = { useFactory: () => ({ servers: 'a:1' }), keyPrefix: 'mine:' };
    expect(await outcome((async () => boot(RedlockModule.forRootAsync(options as never)))())).toMatch(
      /^InvalidOptionsError: keyPrefix/,
    );
  });

  it('forRootAsync without a factory', async () => {
    expect(await outcome((async () => boot(RedlockModule.forRootAsync({})))())).toMatch(/^InvalidOptionsError/);
  });

  it('forRootAsync of the dashboard with authorize beside the factory', async () => {
    const options = { useFactory: () => ({}), authorize: () => false };
    expect(
      await outcome(
        (async () =>
          boot(RedlockTestingModule.forRoot(), [], [RedlockDashboardModule.forRootAsync(options as never)]))(),
      ),
    ).toMatch(/^InvalidOptionsError: authorize/);
  });

  it.each([
    ['@Cron, whose perTick is on', Cron('* * * * * *'), { tick: 1_700_000_000_000 }],
    ['@Cron, whose perTick is on, also without an instant', Cron('* * * * * *'), { tick: { everyMs: 1000 } }],
    ['@Cron without perTick', Cron('* * * * * *'), { perTick: false, tick: new Date() }],
    ['@Interval', Interval(1000), { tick: { atMs: 1000, periodMs: 1000 } }],
  ] satisfies [string, MethodDecorator, WithLockOptions][])('a tick beside %s', async (_, schedule, options) => {
    @Injectable()
    class Host {
      @schedule
      @WithLock('mails', '5s', options)
      run(): Promise<void> {
        return Promise.resolve();
      }
    }
    expect(await outcome(boot(RedlockTestingModule.forRoot(), [Host]))).toMatch(
      /^InvalidOptionsError: tick: .*Host\.run/,
    );
  });

  it('options of a call that are null', async () => {
    const jobs = (await boot(RedlockTestingModule.forRoot())).get(RedlockJobs);
    expect(await outcome(jobs.list(null as never))).toMatch(/^InvalidOptionsError: list/);
    expect(tryIt(() => jobs.add('mails', null as never))).toMatch(/^InvalidOptionsError: jobs.add/);
  });
});

describe('the name of a job that is added', () => {
  const options = () => ({ cron: new CronJob('0 0 3 * * *', () => undefined), run: () => Promise.resolve() });

  @Injectable()
  class Host {
    @Cron('0 0 4 * * *')
    @WithLock('mails', '5s')
    run(): Promise<void> {
      return Promise.resolve();
    }
  }

  @Injectable()
  class AddsEarly {
    constructor(jobs: RedlockJobs, _: RedlockService) {
      jobs.add('mails', options());
    }
  }

  @Injectable()
  class AddsAtInit implements OnModuleInit {
    constructor(private readonly jobs: RedlockJobs) {}
    onModuleInit(): void {
      this.jobs.add('mails', options());
    }
  }

  @Injectable()
  class AddsAndRemoves {
    constructor(jobs: RedlockJobs, _: RedlockService) {
      for (let times = 0; times < 2; times++) jobs.add('mails', options()).remove();
    }
  }

  it.each([
    ['a constructor', AddsEarly],
    ['onModuleInit', AddsAtInit],
  ])('P16: does not boot beside that of a decorated one, from %s', async (_, adds) => {
    const said = await outcome(boot(RedlockTestingModule.forRoot(), [Host, adds]));
    expect(said).toMatch(/"mails" is the name of two scheduled jobs, (mails and Host\.run|Host\.run and mails):/);
  });

  it('is free when the job is removed', async () => {
    expect(await outcome(boot(RedlockTestingModule.forRoot(), [Host, AddsAndRemoves]))).toBe('accepted');
  });
});
