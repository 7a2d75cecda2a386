import { describe, expect, it } from '@jest/globals';
import { Injectable, Module, Scope, type Provider } from '@nestjs/common';
import { Cron, Interval } from '@nestjs/schedule';
import { InvalidOptionsError, WithLock } from 'redlock-nestjs';
import { RedlockTestingModule } from 'redlock-nestjs/testing';
import { scheduledApps } from '../../support/scheduled-app.js';

const NIGHTLY = '0 0 3 * * *';
const apps = scheduledApps();
const { boot, seconds, logger } = apps;

/** A base class whose method runs under the key that is given. */
function jobOf(key: Parameters<typeof WithLock>[0]): new () => object {
  class Sync {
    @Cron(NIGHTLY)
    @WithLock(key, '10s')
    run(): Promise<void> {
      return Promise.resolve();
    }
  }
  return Sync;
}

@Injectable()
class Job {
  @Cron(NIGHTLY)
  @WithLock('job', '10s')
  run(): Promise<void> {
    return Promise.resolve();
  }
}

/** The same name, by another schedule, in another instance of the module. */
@Injectable()
class Other {
  @Interval(3_600_000)
  @WithLock('job', '10s', { instance: 'other' })
  run(): Promise<void> {
    return Promise.resolve();
  }
}

describe('P8, P9: two jobs with one name do not boot', () => {
  const refused = async (...providers: Provider[]): Promise<string> => {
    const error: unknown = await boot(providers).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(InvalidOptionsError);
    return (error as Error).message;
  };

  it('hosts of one base class: the error names both, and the ways out', async () => {
    const Sync = jobOf('sync');
    @Injectable()
    class Mails extends Sync {}
    @Injectable()
    class Invoices extends Sync {}
    const message = await refused(Mails, Invoices);
    expect(message).toMatch(/^job: "sync" is the name of two scheduled jobs, Mails\.run .* and Invoices\.run/);
    expect(message).toMatch(/\{ job: 'mails' \}.*key function of the host/);
  });

  it('methods of two classes with one key, of @Cron and of @Interval', async () => {
    @Injectable()
    class Stock {
      @Interval(60_000)
      @WithLock(['b', 'a'], '1s')
      run(): Promise<void> {
        return Promise.resolve();
      }
    }
    @Injectable()
    class Prices {
      @Cron(NIGHTLY)
      @WithLock(['a', 'b'], '1s')
      run(): Promise<void> {
        return Promise.resolve();
      }
    }
    expect(await refused(Stock, Prices)).toMatch(/Stock\.run and Prices\.run/);
  });

  it('two hosts of one class under tokens of their own', async () => {
    const Sync = jobOf('sync');
    const hosts = ['one', 'two'].map((provide) => ({ provide, useFactory: () => new Sync() }));
    expect(await refused(...hosts)).toContain('two hosts of Sync.run');
  });

  it('key functions that give the same for two hosts, once the hosts are ready', async () => {
    const Sync = jobOf(function (this: { key: string }) {
      return this.key;
    });
    class Named extends Sync {
      key = 'not yet';
      constructor(private readonly later: string) {
        super();
      }
      onModuleInit(): void {
        this.key = this.later;
      }
    }
    const hosts = (...keys: string[]): Provider[] =>
      keys.map((key, index) => ({ provide: `host ${index}`, useFactory: () => new Named(key) }));
    await boot(hosts('a', 'b'));
    expect(await refused(...hosts('a', 'a'))).toContain('two hosts of Named.run');
  });

  it('nor do two in two instances of the module that share their servers and the prefix', async () => {
    const twice = async (keyPrefix: string): Promise<unknown> =>
      await boot([Job, Other], [RedlockTestingModule.forRoot({ name: 'other', memory: apps.memory, keyPrefix })]);
    await expect(twice('redlock:')).rejects.toThrow(/Job\.run[^]*Other\.run/);
    await twice('other:');
  });

  it('but one class in two modules, one host under two tokens, and other instances of the module do', async () => {
    @Injectable({ scope: Scope.TRANSIENT })
    class Each extends jobOf('each') {}
    @Injectable()
    class User {
      constructor(readonly each: Each) {}
    }
    Reflect.defineMetadata('design:paramtypes', [Each], User);
    @Module({ providers: [Job] })
    class Feature {}
    const alias = { provide: 'ALIAS', useExisting: Job };
    const instance = RedlockTestingModule.forRoot({ name: 'other' });
    await boot([Job, alias, Other, Each, User], [Feature, instance]);
    expect(logger.problems).toEqual([]);
  });
});

describe('P9: boot warns', () => {
  it('of an override that drops the lock of a scheduled method, and names both', async () => {
    @Injectable()
    class Better extends jobOf('base') {
      @Cron(NIGHTLY)
      run(): Promise<void> {
        return Promise.resolve();
      }
    }
    await boot([Better]);
    expect(logger.problems).toEqual([expect.stringContaining('Better.run overrides Sync.run without @WithLock')]);
  });

  it('of a transaction around the lock, and not of one inside it', async () => {
    const transactional: MethodDecorator = (_, __, descriptor) => {
      const { value } = descriptor as { value?: (this: unknown) => Promise<void> };
      const around = async function (this: unknown): Promise<void> {
        const commit = (): Promise<void> => Promise.resolve();
        await value?.call(this);
        await commit();
      };
      Object.assign(descriptor, { value: around });
    };
    @Injectable()
    class Stock {
      @transactional
      @WithLock('outside')
      commitInside(): Promise<void> {
        return Promise.resolve();
      }
      @WithLock('inside')
      @transactional
      inside(): Promise<void> {
        return Promise.resolve();
      }
    }
    await boot([Stock]);
    expect(logger.problems).toEqual([
      expect.stringMatching(/@WithLock on Stock\.commitInside looks like a transaction/),
    ]);
  });

  it('in one line for each job whose ttl is longer than its period, and says how many runs that costs', async () => {
    @Injectable()
    class Jobs {
      @Cron('* * * * * *')
      @WithLock('long', '30s')
      long(): Promise<void> {
        return Promise.resolve();
      }
      @Interval(4000)
      @WithLock('default')
      byDefault(): Promise<void> {
        return Promise.resolve();
      }
      @Cron('* * * * * *')
      @WithLock('short', '900ms')
      short(): Promise<void> {
        return Promise.resolve();
      }
      @Cron(NIGHTLY)
      @WithLock('nightly')
      nightly(): Promise<void> {
        return Promise.resolve();
      }
    }
    await boot([Jobs]);
    const lines = logger.of('log').filter((line) => line.includes('The ttl of'));
    expect(lines.toSorted()).toEqual([
      expect.stringMatching(/Jobs\.byDefault, 10s, is longer than its period of 4s: .* up to 3 runs are lost/),
      expect.stringMatching(/Jobs\.long, 30s, is longer than its period of 1s: .* up to 30 runs are lost/),
    ]);
    await seconds(0);
  });
});
