import { afterEach, describe, expect, it } from '@jest/globals';
import { Injectable, type DynamicModule, type OnModuleInit, type Provider } from '@nestjs/common';
import { Cron, ScheduleModule } from '@nestjs/schedule';
import { Test, type TestingModule } from '@nestjs/testing';
import { CronJob } from 'cron';
import { RedlockJobs, RedlockModule, RedlockService, WithLock } from 'redlock-nestjs';
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

  it('a tick beside @Cron, whose perTick is on', async () => {
    @Injectable()
    class Host {
      @Cron('* * * * * *')
      @WithLock('mails', '5s', { tick: 1_700_000_000_000 })
      run(): Promise<void> {
        return Promise.resolve();
      }
    }
    expect(await outcome(boot(RedlockTestingModule.forRoot(), [Host]))).toMatch(/tick/);
  });

  it('jobs.add in a constructor, of the name of a decorated job', async () => {
    @Injectable()
    class Adds {
      constructor(jobs: RedlockJobs, _: RedlockService) {
        jobs.add('mails', { cron: new CronJob('0 0 3 * * *', () => undefined), run: () => Promise.resolve() });
      }
    }
    @Injectable()
    class Host {
      @Cron('0 0 4 * * *')
      @WithLock('mails', '5s')
      run(): Promise<void> {
        return Promise.resolve();
      }
    }
    expect(await outcome(boot(RedlockTestingModule.forRoot(), [Host, Adds]))).toMatch(/two scheduled jobs/);
  });

  it('jobs.add in onModuleInit, of the name of a decorated job', async () => {
    @Injectable()
    class Adds implements OnModuleInit {
      constructor(private readonly jobs: RedlockJobs) {}
      onModuleInit(): void {
        this.jobs.add('mails', {
          cron: new CronJob('0 0 3 * * *', () => undefined),
          run: () => Promise.resolve(),
        });
      }
    }
    @Injectable()
    class Host {
      @Cron('0 0 4 * * *')
      @WithLock('mails', '5s')
      run(): Promise<void> {
        return Promise.resolve();
      }
    }
    expect(await outcome(boot(RedlockTestingModule.forRoot(), [Host, Adds]))).toMatch(/two scheduled jobs/);
  });
});
