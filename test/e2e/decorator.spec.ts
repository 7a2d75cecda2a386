import 'reflect-metadata';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import {
  Controller,
  Get,
  Inject,
  Injectable,
  Module,
  Param,
  Scope,
  SetMetadata,
  type DynamicModule,
  type INestApplication,
  type NestApplicationOptions,
  type Type,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { EventEmitter2, EventEmitterModule, OnEvent } from '@nestjs/event-emitter';
import { Cron, Interval, ScheduleModule, SchedulerRegistry, Timeout, type CronOptions } from '@nestjs/schedule';
import { currentLock, InvalidOptionsError, RedlockModule, WithLock, type Lock } from 'redlock-nestjs';
import { eventually } from '../support/eventually.js';
import { forgetLocks } from '../support/forget-locks.js';
import { start, type Fleet } from '../support/fleet.js';
import { CollectingLogger } from '../support/collecting-logger.js';

let fleet: Fleet;
const apps: INestApplication[] = [];
beforeAll(async () => {
  fleet = await start(3);
});
afterAll(() => fleet.stop());
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
  await forgetLocks(fleet.servers);
});

type Imports = (Type | DynamicModule)[];

const redlock = (): DynamicModule => RedlockModule.forRoot(fleet.urls, { nodeTimeout: '5s' });

async function boot(metadata: {
  imports?: Imports;
  providers?: unknown[];
  controllers?: Type[];
}): Promise<{ app: INestApplication; logger: CollectingLogger }> {
  @Module(metadata as object)
  class AppModule {}
  const logger = new CollectingLogger();
  const options: NestApplicationOptions = { logger, abortOnError: false };
  const app = await NestFactory.create(AppModule, options);
  apps.push(app);
  await app.listen(0, '127.0.0.1');
  return { app, logger };
}

async function bootError(metadata: Parameters<typeof boot>[0]): Promise<Error> {
  try {
    await boot(metadata);
  } catch (error) {
    return error as Error;
  }
  throw new Error('The application has started.');
}

/** What the locks looked like while the methods ran. */
const seen: { method: string; lock: Lock | undefined }[] = [];
function see(method: string): Promise<void> {
  seen.push({ method, lock: currentLock() });
  return Promise.resolve();
}
const runsOf = (method: string): (Lock | undefined)[] =>
  seen.filter((each) => each.method === method).map(({ lock }) => lock);
afterEach(() => {
  seen.splice(0);
});

@Injectable()
class AboveJobs {
  @WithLock('above', '10s')
  @Cron('* * * * * *')
  above(): Promise<void> {
    return see('above');
  }
}

@Injectable()
class BelowJobs {
  @Cron('* * * * * *')
  @WithLock('below', '10s')
  below(): Promise<void> {
    return see('below');
  }
}

abstract class BaseJobs {
  @WithLock(['inherited', 'second'], '10s')
  @Cron('* * * * * *')
  inherited(): Promise<void> {
    return see('inherited');
  }
}

@Injectable()
class DerivedJobs extends BaseJobs {
  @WithLock('own', '10s')
  own(): Promise<void> {
    return see('own');
  }
}

@Controller('reports')
class ReportsController {
  @Get(':id')
  @WithLock((id: string) => `report:${id}`, '5s')
  async above(@Param('id') id: string): Promise<string[]> {
    await see('route');
    return [id, ...(currentLock()?.keys ?? [])];
  }

  @WithLock('below-route', '5s')
  @Get('below/:id')
  below(@Param('id') id: string): Promise<string> {
    return Promise.resolve(`${id} ${currentLock()?.keys.join()}`);
  }
}

@Injectable()
class Listener {
  readonly prefix = 'event';

  @OnEvent('order.paid')
  @WithLock(function (this: Listener, order: { id: number }) {
    return [`${this.prefix}:${order.id}`, 'orders'];
  }, '5s')
  onPaid(): Promise<void> {
    return see('event');
  }
}

describe('P9: @WithLock', () => {
  it.each([
    ['ScheduleModule before RedlockModule', () => [ScheduleModule.forRoot(), redlock()]],
    ['ScheduleModule after RedlockModule', () => [redlock(), ScheduleModule.forRoot()]],
  ])('is scheduled and locked above and below @Cron and when inherited, with %s', async (_, imports) => {
    const { logger } = await boot({ imports: imports(), providers: [AboveJobs, BelowJobs, DerivedJobs] });
    await eventually(() => ['above', 'below', 'inherited'].every((method) => runsOf(method).length >= 2));
    for (const { lock } of seen) expect(lock?.token).toMatch(/^\S{20,}$/);
    expect(runsOf('inherited')[0]?.keys).toEqual(['inherited', 'second']);
    expect(logger.problems).toEqual([]);
  });

  it('runs each tick on one of two apps in one process', async () => {
    for (let index = 0; index < 2; index++)
      await boot({ imports: [redlock(), ScheduleModule.forRoot()], providers: [AboveJobs] });
    await eventually(() => runsOf('above').length >= 3);
    // The claim on a tick is there before its run, and stays.
    const ranBefore = runsOf('above').length;
    const ticks = (await ticksOf('above')).length;
    expect(ticks).toBeGreaterThanOrEqual(ranBefore);
    expect(ticks).toBeLessThanOrEqual(runsOf('above').length + 1);
    await apps.splice(0, 1)[0]?.close();
    const before = runsOf('above').length;
    await eventually(() => runsOf('above').length >= before + 2);
  });

  it('locks a controller route and an event handler, with keys from the arguments and the host', async () => {
    const { app } = await boot({
      imports: [redlock(), EventEmitterModule.forRoot()],
      controllers: [ReportsController],
      providers: [Listener],
    });
    const get = async (path: string): Promise<string> => (await fetch(`${await app.getUrl()}/reports/${path}`)).text();
    expect(JSON.parse(await get('7'))).toEqual(['7', 'report:7']);
    expect(await get('below/8')).toBe('8 below-route');
    await app.get(EventEmitter2).emitAsync('order.paid', { id: 3 });
    expect(runsOf('event')[0]?.keys).toEqual(['event:3', 'orders']);
    for (const server of fleet.servers) expect(await server.keys('redlock:*')).toEqual([]);
  });

  it.each([
    ['useValue', () => ({ provide: 'JOBS', useValue: new DerivedJobs() })],
    ['useFactory', () => ({ provide: 'JOBS', useFactory: () => new DerivedJobs() })],
    ['an async useFactory', () => ({ provide: 'JOBS', useFactory: () => Promise.resolve(new DerivedJobs()) })],
  ])('is scheduled and locked on a host given by %s', async (_, provider) => {
    const { app } = await boot({ imports: [ScheduleModule.forRoot(), redlock()], providers: [provider()] });
    await app.get<DerivedJobs>('JOBS').own();
    expect(runsOf('own')[0]?.keys).toEqual(['own']);
    await eventually(() => runsOf('inherited').length > 0);
    expect(runsOf('inherited')[0]?.keys).toEqual(['inherited', 'second']);
  });

  it('locks a request-scoped host', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class Scoped {
      @WithLock('scoped', '5s')
      run(): Promise<void> {
        return see('scoped');
      }
    }
    const { app } = await boot({ imports: [redlock()], providers: [Scoped] });
    await (await app.resolve(Scoped)).run();
    expect(runsOf('scoped')[0]?.keys).toEqual(['scoped']);
  });

  it('finds @Cron above another decorator that wraps the method once more', async () => {
    const wrap = (_target: object, _key: string, descriptor: PropertyDescriptor): void => {
      const inner = descriptor.value as (...args: unknown[]) => Promise<void>;
      descriptor.value = function (this: unknown, ...args: unknown[]): Promise<void> {
        return inner.apply(this, args);
      };
    };
    @Injectable()
    class Wrapped {
      @Cron('* * * * * *')
      @wrap
      @WithLock('wrapped', '10s')
      run(): Promise<void> {
        return see('wrapped');
      }
    }
    await boot({ imports: [redlock(), ScheduleModule.forRoot()], providers: [Wrapped] });
    await eventually(() => runsOf('wrapped').length >= 1);
    const keys = await fleet.servers[0]!.keys();
    expect(keys.some((key) => key.startsWith('{redlock:wrapped}:tick:'))).toBe(true);
  });

  it('fails the boot without the module, and names the method', async () => {
    const error = await bootError({ providers: [AboveJobs] });
    expect(error.message).toContain('@WithLock on AboveJobs.above');
  });

  it('fails the boot when the named instance is missing, and names the method', async () => {
    class Named {
      @WithLock('k', '1s', { instance: 'elsewhere' })
      run(): Promise<void> {
        return see('named');
      }
    }
    Injectable()(Named);
    expect((await bootError({ imports: [redlock()], providers: [Named] })).message).toContain('@WithLock on Named.run');
    const made = await bootError({ imports: [redlock()], providers: [{ provide: 'X', useValue: new Named() }] });
    expect(made.message).toMatch(/Named\.run.*"elsewhere"/);
  });

  it('fails the boot for a frozen host, and names the method', async () => {
    const error = await bootError({
      imports: [redlock()],
      providers: [{ provide: 'X', useValue: Object.freeze(new AboveJobs()) }],
    });
    expect(error.message).toMatch(/AboveJobs\.above.*frozen/);
  });

  it('fails the boot for perTick without @Cron, and names the method', async () => {
    @Injectable()
    class NoCron {
      @WithLock('k', '1s', { perTick: true })
      run(): Promise<void> {
        return see('x');
      }
    }
    expect((await bootError({ imports: [redlock()], providers: [NoCron] })).message).toContain('NoCron.run');
  });

  it.each<[string, string | Date, CronOptions, RegExp]>([
    ['an expression that does not parse', 'nonsense', {}, /'nonsense'.*Unknown alias/],
    ['an unknown zone', '* * * * *', { timeZone: 'Mars/Olympus' }, /'\* \* \* \* \*' in 'Mars\/Olympus'.*timezone/],
    ['an offset that is none', '* * * * *', { utcOffset: Infinity }, /offset Infinity/],
    ['an invalid date', new Date(NaN), {}, /invalid Date/],
    ['no expression', undefined as unknown as string, {}, /undefined/],
    ['a date that never comes', '0 0 31 2 *', {}, /'0 0 31 2 \*'.*No execution date[^\n]*$/],
  ])('P9: fails the boot for %s, and names the method and what is wrong', async (_, cronTime, options, what) => {
    class Reports {
      @Cron(cronTime, options)
      @WithLock('key', '1s')
      perTick(): Promise<void> {
        return see('x');
      }
    }
    class Cleanup {
      @Cron(cronTime, options)
      @WithLock('key', '1s', { perTick: false })
      justLocked(): Promise<void> {
        return see('x');
      }
    }
    for (const [type, name] of [
      [Reports, 'Reports.perTick'],
      [Cleanup, 'Cleanup.justLocked'],
    ] as const) {
      const error = await bootError({ imports: [redlock(), ScheduleModule.forRoot()], providers: [type] });
      expect(error).toBeInstanceOf(InvalidOptionsError);
      expect(error.message).toMatch(`@Cron: @WithLock cannot lock ${name}: `);
      expect(error.message).toMatch(what);
    }
  });

  it('never runs unlocked: a call before the boot rejects and names the method', async () => {
    await expect(new AboveJobs().above()).rejects.toThrow(/AboveJobs\.above/);
    const { above } = new AboveJobs();
    await expect(above()).rejects.toThrow(/AboveJobs\.above/);
    expect(seen).toEqual([]);
  });

  it('P9: never runs unlocked on a request-scoped host made by a factory: each call rejects and names the method', async () => {
    const factory = { provide: 'SCOPED', useFactory: () => new DerivedJobs(), scope: Scope.REQUEST };
    const { app } = await boot({ imports: [redlock()], providers: [factory] });
    const host = await app.resolve<DerivedJobs>('SCOPED');
    await expect(host.own()).rejects.toThrow(/DerivedJobs\.own.*request-scoped and made by a factory/);
    expect(seen).toEqual([]);
  });

  it('finds @Cron on the method itself when a subclass overrides it and calls it', async () => {
    abstract class Base {
      @Cron('0 0 1 1 *')
      @WithLock('base', '5s', { perTick: true })
      run(): Promise<void> {
        return see('base');
      }
    }
    @Injectable()
    class Derived extends Base {
      override async run(): Promise<void> {
        await super.run();
      }
    }
    const { app } = await boot({ imports: [redlock(), ScheduleModule.forRoot()], providers: [Derived] });
    await app.get(Derived).run();
    expect(runsOf('base')).toHaveLength(1);
  });

  it('locks a constant that an application before had, and a transient host made by a factory', async () => {
    const host = new DerivedJobs();
    for (let index = 0; index < 2; index++) {
      const { app } = await boot({ imports: [redlock()], providers: [{ provide: 'JOBS', useValue: host }] });
      await host.own();
      await app.close();
    }
    @Injectable()
    class User {
      constructor(@Inject('JOBS') readonly jobs: DerivedJobs) {}
    }
    const factory = { provide: 'JOBS', useFactory: () => new DerivedJobs(), scope: Scope.TRANSIENT };
    const { app } = await boot({ imports: [redlock()], providers: [factory, User] });
    await app.get(User).jobs.own();
    expect(runsOf('own')).toHaveLength(3);
  });

  it('P9, P8: locks and runs a constant of two applications with the one that lives on, whichever that is', async () => {
    @Injectable()
    class Often {
      @Interval(100)
      @WithLock('often', '1s')
      often(): Promise<void> {
        return see('often');
      }
      @WithLock('by hand', '1s')
      byHand(): Promise<string> {
        return Promise.resolve('ran');
      }
    }
    const host = new Often();
    const metadata = {
      imports: [redlock(), ScheduleModule.forRoot()],
      providers: [{ provide: 'OFTEN', useValue: host }],
    };
    const [first] = [await boot(metadata), await boot(metadata)];
    await first.app.close();
    let before = runsOf('often').length;
    await eventually(() => runsOf('often').length >= before + 3);
    expect(await host.byHand()).toBe('ran');

    await boot(metadata);
    await apps[1]?.close();
    before = runsOf('often').length;
    await eventually(() => runsOf('often').length >= before + 3);
    expect(await host.byHand()).toBe('ran');
  });

  it('P9: a host that Nest has made for one application is given the service of another that has it as a constant', async () => {
    const { app } = await boot({ imports: [redlock()], providers: [DerivedJobs] });
    const host = app.get(DerivedJobs);
    await boot({ imports: [redlock()], providers: [{ provide: 'JOBS', useValue: host }] });
    await app.close();
    await host.own();
    expect(runsOf('own')[0]?.keys).toEqual(['own']);
  });

  it('keeps the ticks of jobs apart whose lists of keys share one', async () => {
    @Injectable()
    class Lists {
      @Cron('* * * * * *')
      @WithLock(['z1', 'shared'], '2s')
      one(): Promise<void> {
        return see('list one');
      }
      @Cron('* * * * * *')
      @WithLock(['z2', 'shared'], '2s')
      two(): Promise<void> {
        return see('list two');
      }
    }
    const { logger } = await boot({ imports: [redlock(), ScheduleModule.forRoot()], providers: [Lists] });
    await eventually(() => runsOf('list one').length >= 2);
    expect(Math.abs(runsOf('list one').length - runsOf('list two').length)).toBeLessThanOrEqual(1);
    expect(logger.problems).toEqual([]);
  });

  it('uses the instance that it names', async () => {
    @Injectable()
    class Two {
      @WithLock('k', '5s', { instance: 'second' })
      async run(): Promise<string[]> {
        await see('two');
        return (await Promise.all(fleet.servers.map((server) => server.keys('other:*')))).flat();
      }
    }
    const { app } = await boot({
      imports: [redlock(), RedlockModule.forRoot(fleet.urls[0]!, { name: 'second', keyPrefix: 'other:' })],
      providers: [Two],
    });
    expect(await app.get(Two).run()).toEqual(['other:k']);
  });

  it('keeps name, length and metadata of the method', () => {
    class Host {
      @WithLock('k', '1s')
      @SetMetadata('mine', 42)
      method(_a: string, _b: number): Promise<void> {
        return Promise.resolve();
      }
    }
    const { method } = Host.prototype;
    expect([method.name, method.length, Reflect.getMetadata('mine', method)]).toEqual(['method', 2, 42]);
  });

  it('refuses at decoration what can never work, and says what', () => {
    const decorate = (decorator: ReturnType<typeof WithLock>, target: object, key: string): void => {
      decorator(target, key, Object.getOwnPropertyDescriptor(target, key)!);
    };
    class Host {
      static shared(): Promise<void> {
        return Promise.resolve();
      }
      get value(): number {
        return Math.random();
      }
    }
    expect(() => decorate(WithLock('k', '1s'), Host, 'shared')).toThrow(/Host\.shared|static/);
    expect(() => decorate(WithLock('k', '1s'), Host.prototype, 'value')).toThrow(InvalidOptionsError);
  });
});

async function ticksOf(key: string): Promise<string[]> {
  const keys = (await Promise.all(fleet.servers.map((server) => server.keys(`*${key}*:tick:*`)))).flat();
  return [...new Set(keys)];
}

describe('what a contended call does', () => {
  @Injectable()
  class Shop {
    release: () => void = () => undefined;
    @WithLock('shop', '5s', { onContended: 'skip' })
    skip(): Promise<string> {
      return Promise.resolve('ran');
    }
    @WithLock('shop', '5s', { onContended: 'throw' })
    throw(): Promise<string> {
      return Promise.resolve('ran');
    }
    @WithLock('shop', '5s')
    wait(): Promise<string> {
      return Promise.resolve('ran');
    }
    @WithLock('shop', '5s', { wait: 100 })
    waitABit(): Promise<string> {
      return Promise.resolve('ran');
    }
    @WithLock('shop', '5s')
    block(): Promise<string> {
      return new Promise(
        (resolve) =>
          (this.release = () => {
            resolve('blocked');
          }),
      );
    }
  }

  it('skips, throws or waits as it was told', async () => {
    const { app, logger } = await boot({ imports: [redlock()], providers: [Shop] });
    const shop = app.get(Shop);
    const blocked = shop.block();
    await eventually(async () => (await fleet.servers[0]!.keys('redlock:*')).length > 0);
    expect(await shop.skip()).toBeUndefined();
    expect(logger.of('debug').filter((line) => line.includes('"shop" is locked by'))).toHaveLength(1);
    await expect(shop.throw()).rejects.toMatchObject({ code: 'LOCK_CONTENDED' });
    await expect(shop.waitABit()).rejects.toMatchObject({ code: 'LOCK_CONTENDED' });
    const waiting = shop.wait();
    shop.release();
    expect([await blocked, await waiting]).toEqual(['blocked', 'ran']);
    expect(logger.problems).toEqual([]);
  });
});

describe('P8: @Interval and @Timeout', () => {
  @Injectable()
  class Timed {
    @WithLock('interval', '10s', { minHold: undefined })
    @Interval(400)
    everySoOften(): Promise<void> {
      return see('interval');
    }
    @Timeout(300)
    @WithLock('timeout', '20s', { minHold: '20s' })
    once(): Promise<void> {
      return see('timeout');
    }
  }

  it('run once per interval on all replicas together, and skip quietly', async () => {
    const loggers: CollectingLogger[] = [];
    for (let index = 0; index < 3; index++) {
      loggers.push((await boot({ imports: [redlock(), ScheduleModule.forRoot()], providers: [Timed] })).logger);
    }
    const startedAt = performance.now();
    await eventually(() => runsOf('interval').length >= 6);
    expect((performance.now() - startedAt) / 400).toBeGreaterThan(4);
    expect(runsOf('timeout')).toHaveLength(1);
    for (const logger of loggers) expect(logger.problems).toEqual([]);
  });
});

describe('P8: a Date', () => {
  it('runs once on all replicas together', async () => {
    const at = new Date(Date.now() + 3000);
    @Injectable()
    class Once {
      @Cron(at)
      @WithLock('once', '10s')
      run(): Promise<void> {
        return see('date');
      }
    }
    await Promise.all([1, 2, 3].map(() => boot({ imports: [redlock(), ScheduleModule.forRoot()], providers: [Once] })));
    await eventually(() => runsOf('date').length > 0);
    const jobs = apps.flatMap((app) => [...app.get(SchedulerRegistry).getCronJobs().values()]);
    await eventually(() => jobs.every((job) => job.lastDate() !== null));
    await eventually(async () => (await ticksOf('once')).length === 1);
    expect(runsOf('date')).toHaveLength(1);
  });
});
