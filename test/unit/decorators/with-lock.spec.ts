import { EventSource } from '../../../lib/client/event-source.js';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ConsoleLogger, Logger } from '@nestjs/common';
import { Cron, Interval, Timeout } from '@nestjs/schedule';
import {
  getRedlockToken,
  InjectRedlock,
  WithLock,
  type WithLockCallOptions,
  type WithLockOptions,
} from 'redlock-nestjs';
import { lockedMethodsOf } from '../../../lib/decorators/locked-method.js';
import { triggerOf } from '../../../lib/decorators/trigger.js';
import type { RedlockService } from '../../../lib/redlock.service.js';
import { currentLock } from '../../../lib/client/lock-scope.js';
import { CollectingLogger } from '../../support/collecting-logger.js';
import { fire } from '../../support/fire.js';
import { modelWorld } from '../../support/model-service.js';

const logger = new CollectingLogger();
beforeAll(() => {
  Logger.overrideLogger(logger);
});
afterAll(() => {
  Logger.overrideLogger(new ConsoleLogger());
});

interface Asked {
  key: unknown;
  ttl: unknown;
  options: WithLockCallOptions;
}

/** Takes down what it is asked for, and runs the work at once. */
class StandInService {
  closing = new AbortController().signal;
  readonly client = { settings: { owner: 'this process' }, events: new EventSource() };
  readonly asked: Asked[] = [];
  readonly skipped: unknown[] = [];

  constructor() {
    this.client.events.on('skipped', ({ method, reason, message }) => this.skipped.push([method, reason, message]));
  }

  withLock(key: unknown, ttl: unknown, work: () => Promise<unknown>, options: WithLockCallOptions): Promise<unknown> {
    const { signal, ...rest } = options;
    this.asked.push({ key, ttl, options: signal === this.closing ? rest : options });
    return work();
  }
}

/** A host as Nest makes it: the service stands in a property for each decorated method. */
function ready<T extends object>(host: T, service: unknown = new StandInService()): T {
  for (const { property } of lockedMethodsOf(host)) Object.assign(host, { [property]: service });
  return host;
}

const EVERY_TEN_SECONDS = '*/10 * * * * *';
const none: MethodDecorator = () => undefined;

async function askedBy(schedule: MethodDecorator, options?: WithLockOptions): Promise<Asked & { result: unknown }> {
  class Host {
    @schedule
    @WithLock('key', '5s', options)
    method(): Promise<string> {
      return Promise.resolve('ran');
    }
  }
  const service = new StandInService();
  const host = ready(new Host(), service);
  const isScheduled = triggerOf(host, { propertyKey: 'method', wrapper: Host.prototype.method }) !== undefined;
  const result = await (isScheduled ? fire(host, 'method') : host.method());
  expect(service.asked).toHaveLength(1);
  return { ...service.asked[0]!, result };
}

describe('@WithLock asks the service', () => {
  const skip = { onContended: 'skip' };
  const tick = { atMs: expect.any(Number), periodMs: 10_000 };

  it.each<[string, MethodDecorator, WithLockOptions | undefined, object]>([
    ['to wait, on a method that nothing calls by itself', none, undefined, { onContended: 'throw' }],
    ['to wait, where that is said', none, { onContended: 'wait' }, { onContended: 'throw' }],
    ['to throw at once', none, { onContended: 'throw' }, { onContended: 'throw', wait: 0 }],
    ['to skip at once', none, { onContended: 'skip' }, { ...skip, wait: 0 }],
    [
      'to throw after an explicit wait',
      none,
      { onContended: 'throw', wait: '3s' },
      { onContended: 'throw', wait: '3s' },
    ],
    ['to skip after an explicit wait', none, { onContended: 'skip', wait: '3s' }, { ...skip, wait: '3s' }],
    ['to wait for an explicit wait', none, { wait: '3s' }, { onContended: 'throw', wait: '3s' }],
    ['nothing of what is undefined', none, { wait: undefined, onContended: undefined }, { onContended: 'throw' }],
    ['for a tick of a cron job, and to skip', Cron(EVERY_TEN_SECONDS), undefined, { ...skip, wait: 1000, tick }],
    ['the same with perTick', Cron(EVERY_TEN_SECONDS), { perTick: true }, { ...skip, wait: 1000, tick }],
    ['the same without a word', Cron(EVERY_TEN_SECONDS), { perTick: undefined }, { ...skip, wait: 1000, tick }],
    [
      'to wait a quarter of a short period for a tick',
      Cron('* * * * * *'),
      undefined,
      { ...skip, wait: 250, tick: { ...tick, periodMs: 1000 } },
    ],
    ['for no tick with perTick: false, and to skip', Cron(EVERY_TEN_SECONDS), { perTick: false }, { ...skip, wait: 0 }],
    [
      'for a tick, and to throw after the grace',
      Cron(EVERY_TEN_SECONDS),
      { onContended: 'throw' },
      { onContended: 'throw', wait: 1000, tick },
    ],
    ['for a tick, and to wait', Cron(EVERY_TEN_SECONDS), { onContended: 'wait' }, { onContended: 'throw', tick }],
    ['for a tick after an explicit wait', Cron(EVERY_TEN_SECONDS), { wait: 7 }, { ...skip, wait: 7, tick }],
    ['to skip, and to hold for an interval', Interval(1000), undefined, { ...skip, wait: 250, tick: { everyMs: 950 } }],
    ['to hold for a short interval', Interval(100), undefined, { ...skip, wait: 25, tick: { everyMs: 90 } }],
    [
      'to hold the key of an interval as long as it is said',
      Interval(1000),
      { minHold: 5 },
      { ...skip, wait: 250, tick: { everyMs: 950 }, minHold: 5 },
    ],
    ['to skip, and to hold for a timeout', Timeout(1000), undefined, { ...skip, wait: 250, tick: { everyMs: 950 } }],
    ['to skip at once, for a timeout of nothing', Timeout(0), undefined, { ...skip, wait: 0 }],
    [
      'for the tick of a named job',
      Cron(EVERY_TEN_SECONDS),
      { job: 'mine' },
      { ...skip, wait: 1000, tick, job: 'mine' },
    ],
    [
      'for the interval of a named job',
      Interval(1000),
      { job: 'mine' },
      { ...skip, wait: 250, tick: { everyMs: 950 }, job: 'mine' },
    ],
    [
      'to throw on an interval',
      Interval(1000),
      { onContended: 'throw' },
      { onContended: 'throw', wait: 250, tick: { everyMs: 950 } },
    ],
    [
      'for all that it was given',
      none,
      { maxRetries: 3, autoExtend: false, minHold: 1, maxHold: '1m', fencing: false, tick: 5, instance: 'second' },
      { onContended: 'throw', maxRetries: 3, autoExtend: false, minHold: 1, maxHold: '1m', fencing: false, tick: 5 },
    ],
  ])('%s', async (_, schedule, options, expected) => {
    const asked = await askedBy(schedule, options);
    expect(asked).toEqual({ key: 'key', ttl: '5s', options: expected, result: 'ran' });
  });

  const both =
    (outer: MethodDecorator, inner: MethodDecorator): MethodDecorator =>
    (...method) => {
      inner(...(method as Parameters<MethodDecorator>));
      outer(...(method as Parameters<MethodDecorator>));
    };
  it.each<[string, MethodDecorator, object]>([
    [
      '@Interval above @Cron',
      both(Interval(1000), Cron(EVERY_TEN_SECONDS)),
      { ...skip, wait: 250, tick: { everyMs: 950 } },
    ],
    [
      '@Timeout above @Cron',
      both(Timeout(1000), Cron(EVERY_TEN_SECONDS)),
      { ...skip, wait: 250, tick: { everyMs: 950 } },
    ],
    ['@Cron above @Interval', both(Cron(EVERY_TEN_SECONDS), Interval(1000)), { ...skip, wait: 1000, tick }],
    ['@Timeout above @Interval', both(Timeout(500), Interval(1000)), { ...skip, wait: 125, tick: { everyMs: 450 } }],
    ['@Interval above @Timeout', both(Interval(500), Timeout(1000)), { ...skip, wait: 125, tick: { everyMs: 450 } }],
  ])(
    'P9: as the outermost of two schedules says, by which Nest calls the method: %s',
    async (_, schedule, expected) => {
      expect((await askedBy(schedule)).options).toEqual(expected);
    },
  );

  it('P9: as the outermost of two schedules says, also with @WithLock between them and above both', async () => {
    class Host {
      @Interval(1000)
      @WithLock('between', '5s')
      @Cron(EVERY_TEN_SECONDS)
      between(): Promise<void> {
        return Promise.resolve();
      }
      @WithLock('above', '5s')
      @Interval(1000)
      @Cron(EVERY_TEN_SECONDS)
      above(): Promise<void> {
        return Promise.resolve();
      }
    }
    const service = new StandInService();
    const host = ready(new Host(), service);
    await fire(host, 'between');
    await fire(host, 'above');
    for (const { options } of service.asked) expect(options).toEqual({ ...skip, wait: 250, tick: { everyMs: 950 } });
  });

  it('hands the signal on', async () => {
    const { signal } = new AbortController();
    expect((await askedBy(none, { signal, wait: Infinity })).options).toEqual({
      onContended: 'throw',
      wait: Infinity,
      signal,
    });
  });

  it('P8: for the tick that the call belongs to', async () => {
    const { options } = await askedBy(Cron(EVERY_TEN_SECONDS));
    const { atMs } = options.tick as { atMs: number };
    expect(atMs % 10_000).toBe(0);
    expect(Math.abs(Date.now() - atMs)).toBeLessThan(11_000);
  });

  it('for the key that a function gives, of the host and the arguments, and passes on arguments, result and error', async () => {
    class Host {
      readonly prefix = 'order';
      @WithLock(function (this: Host, id: number, other: string) {
        return [`${this.prefix}:${id}`, other];
      }, 5000)
      pay(id: number, other: string): Promise<string> {
        if (id < 0) return Promise.reject(new RangeError(other));
        return Promise.resolve(`${this.prefix} ${id} ${other}`);
      }
    }
    const service = new StandInService();
    const host = ready(new Host(), service);
    expect(await host.pay(7, 'x')).toBe('order 7 x');
    expect(service.asked[0]).toMatchObject({ key: ['order:7', 'x'], ttl: 5000 });
    await expect(host.pay(-1, 'boom')).rejects.toThrow(new RangeError('boom'));
  });

  it('P15: for nothing that a schedule calls once shutdown has begun; for other calls as ever', async () => {
    const ran: string[] = [];
    class Host {
      @Cron(EVERY_TEN_SECONDS)
      @WithLock('cron', '5s')
      cron(): Promise<void> {
        return Promise.resolve(void ran.push('cron'));
      }
      @Interval(1000)
      @WithLock('interval', '5s')
      interval(): Promise<void> {
        return Promise.resolve(void ran.push('interval'));
      }
      @WithLock('other', '5s')
      other(): Promise<void> {
        return Promise.resolve(void ran.push('other'));
      }
    }
    const service = new StandInService();
    const host = ready(new Host(), service);
    service.closing = AbortSignal.abort();
    await Promise.all([fire(host, 'cron'), fire(host, 'interval'), host.other()]);
    expect(ran).toEqual(['other']);
    expect(service.skipped).toEqual([
      ['Host.cron', 'closing', 'Host.cron does not begin any more: the application shuts down.'],
      ['Host.interval', 'closing', 'Host.interval does not begin any more: the application shuts down.'],
    ]);
  });

  /** A service whose shutdown begins while the run waits for its lock. */
  class ClosingService extends StandInService {
    override withLock(_key: unknown, _ttl: unknown, _work: unknown, options: WithLockCallOptions): Promise<unknown> {
      this.closing = AbortSignal.abort(new Error('closing'));
      return options.onContended === 'skip' ? Promise.resolve(undefined) : Promise.reject(this.closing.reason as Error);
    }
  }

  it.each<WithLockOptions['onContended']>(['skip', 'wait'])(
    'P9, P8: again, of another application that has the host, when the first closes before the run: %s',
    async (onContended) => {
      const { host, ran } = often(onContended);
      const last = new StandInService();
      ready(host, [new ClosingService(), last]);
      expect(await fire(host, 'run')).toBe('ran');
      expect([ran, last.asked.length]).toEqual([['run'], 1]);
      expect(logger.lines).toEqual([]);
    },
  );

  it('P15: nothing again where no application is left, and says so', async () => {
    const { host, ran } = often('wait');
    const services = [new ClosingService(), new ClosingService()];
    ready(host, services);
    expect(await fire(host, 'run')).toBeUndefined();
    expect(ran).toEqual([]);
    expect(services.flatMap(({ skipped }) => skipped)).toEqual([
      ['Host.run', 'closing', 'Host.run does not begin any more: the application shuts down.'],
    ]);
  });

  it("P10: never again what has begun, and passes on its error, also where that is the shutdown's", async () => {
    const { host, ran } = often('skip', () => {
      service.closing = AbortSignal.abort(new Error('closing'));
      throw service.closing.reason as Error;
    });
    const service = new StandInService();
    ready(host, [service, new StandInService()]);
    await expect(fire(host, 'run')).rejects.toThrow('closing');
    expect(ran).toEqual(['run']);
  });

  it('P15: of an application that waits for its work where another is closed, and for no schedule', async () => {
    const { host, ran } = often('skip');
    const [waiting, closed] = [new StandInService(), new StandInService()];
    waiting.closing = closed.closing = AbortSignal.abort();
    Object.assign(closed, { isClosed: true });
    ready(host, [closed, waiting]);
    expect([await fire(host, 'run'), await host.other()]).toEqual([undefined, 'ran']);
    expect([ran, closed.asked.length, waiting.asked.length]).toEqual([['other'], 0, 1]);
    logger.lines.splice(0);
  });

  function often(
    onContended: WithLockOptions['onContended'],
    run = (): unknown => 'ran',
  ): { host: { run(): Promise<unknown>; other(): Promise<unknown> }; ran: string[] } {
    const ran: string[] = [];
    class Host {
      @Interval(1000)
      @WithLock('run', '5s', { onContended })
      async run(): Promise<unknown> {
        ran.push('run');
        return await Promise.resolve(run());
      }
      @WithLock('other', '5s')
      async other(): Promise<unknown> {
        ran.push('other');
        return await Promise.resolve('ran');
      }
    }
    return { host: new Host(), ran };
  }

  it('P9: refuses perTick on a method that has no cron, and then does not run it', async () => {
    for (const schedule of [none, Interval(1000)]) {
      await expect(askedBy(schedule, { perTick: true })).rejects.toThrow(
        'perTick: @WithLock cannot lock Host.method: it takes a method with @Cron.',
      );
    }
  });
});

describe('@WithLock', () => {
  const typesOf = (host: object): unknown[] =>
    (Reflect.getMetadata('self:properties_metadata', host.constructor) as { type: unknown }[]).map(({ type }) => type);

  it('instance: names the service that Nest is to inject', () => {
    class Host {
      @WithLock('a', '5s')
      one(): Promise<void> {
        return Promise.resolve();
      }
      @WithLock('b', '5s', { instance: 'second' })
      two(): Promise<void> {
        return Promise.resolve();
      }
    }
    expect(new Set(typesOf(new Host()))).toEqual(new Set([getRedlockToken(), getRedlockToken('second')]));
  });

  it('runs under a lock that is extended by itself, and is currentLock(); a contended call does as it is told', async () => {
    const world = modelWorld();
    const service: RedlockService = world.serve();
    class Host {
      @WithLock('job', '1s')
      async wait(): Promise<boolean | undefined> {
        await new Promise<void>((resolve) => world.clock.after(30_000, resolve));
        return currentLock()?.isHeld();
      }
      @WithLock('job', '1s', { onContended: 'skip' })
      skip(): Promise<string> {
        return Promise.resolve('ran');
      }
      @WithLock('job', '1s', { onContended: 'throw' })
      throw(): Promise<string> {
        return Promise.resolve('ran');
      }
      @WithLock('job', '1s', { wait: '1m' })
      later(): Promise<string> {
        return Promise.resolve('ran');
      }
    }
    const host = ready(new Host(), service);
    const first = world.clock.settle(host.wait());
    await world.clock.advance(100);
    const skipped = await world.clock.settle(host.skip());
    expect(skipped).toEqual({ value: undefined, tookMs: 0 });
    expect(logger.lines).toEqual([{ level: 'debug', text: expect.stringContaining('"job" is locked by') }]);
    expect(await world.clock.settle(host.throw())).toMatchObject({ tookMs: 0, error: { code: 'LOCK_CONTENDED' } });
    const waited = await world.clock.settle(host.later());
    expect(waited.value).toBe('ran');
    expect((await first).value).toBe(true);
  });
});

describe('a call of a method within its own lock', () => {
  it('P9: waits like any other, and the warning names the method', async () => {
    const world = modelWorld();
    class Host {
      @WithLock('within', '5s', { wait: '1s' })
      async run(again: boolean): Promise<void> {
        if (again) await this.run(false);
      }
    }
    const { error, tookMs } = await world.clock.settle(ready(new Host(), world.serve()).run(true));
    expect({ error, tookMs }).toMatchObject({ error: { code: 'LOCK_CONTENDED' }, tookMs: 1000 });
    expect(logger.problems).toContainEqual(
      expect.stringMatching(/^Host\.run asks for "within" within work that holds it/),
    );
  });
});

describe('InjectRedlock and getRedlockToken', () => {
  it('name an instance, or the one without a name', () => {
    class Host {
      @InjectRedlock()
      readonly first!: RedlockService;
      @InjectRedlock('second')
      readonly second!: RedlockService;
    }
    expect(Reflect.getMetadata('self:properties_metadata', Host)).toEqual([
      { key: 'first', type: getRedlockToken() },
      { key: 'second', type: getRedlockToken('second') },
    ]);
    expect(new Set([getRedlockToken(), getRedlockToken('second'), getRedlockToken('third')]).size).toBe(3);
    expect(getRedlockToken('second')).toBe(getRedlockToken('second'));
  });
});
