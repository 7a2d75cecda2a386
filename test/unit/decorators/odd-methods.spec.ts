import { describe, expect, it } from '@jest/globals';
import { applyDecorators, Injectable, type DynamicModule, type Type } from '@nestjs/common';
import { Cron } from '@nestjs/schedule';
import {
  InvalidOptionsError,
  QuorumUnreachableError,
  RedlockJobs,
  RedlockService,
  WithLock,
  type WithLockOptions,
} from 'redlock-nestjs';
import { RedlockTestingModule } from 'redlock-nestjs/testing';
import { scheduledApps } from '../../support/scheduled-app.js';

const apps = scheduledApps();
const { boot, seconds } = apps;
const nothing = (): Promise<void> => Promise.resolve();

describe('P9: what cannot be locked', () => {
  it('is refused where it is a generator, also where no compiler sees it', () => {
    expect(() => {
      class Host {
        @applyDecorators(WithLock('rows') as MethodDecorator)
        async *rows(): AsyncGenerator<number> {
          yield await Promise.resolve(1);
        }
      }
      return Host;
    }).toThrow(/Host\.rows is a generator/);
  });

  it('is no provider with a getter of its own that throws', async () => {
    @Injectable()
    class Polling {
      get timeouts(): number {
        throw new Error('not configured yet');
      }
    }
    await boot([Polling]);
  });
});

describe('P9: options that do not go with those of the module are refused at boot', () => {
  const hostWith = (ttl: string | undefined, options: WithLockOptions): Type => {
    @Injectable()
    class Host {
      @WithLock('key', ttl, options)
      run(): Promise<void> {
        return nothing();
      }
    }
    return Host;
  };

  it('a hold that is longer than the ttl of the module, where the method gives none', async () => {
    await expect(boot([hostWith(undefined, { minHold: '11s' })])).rejects.toThrow(
      /^minHold: .*Host\.run.*at most the ttl, 10000 ms/,
    );
    await boot([hostWith(undefined, { minHold: '10s' })]);
  });

  it('a ttl of which the allowance for drifting clocks leaves nothing', async () => {
    const module = (driftFactor: number): DynamicModule =>
      RedlockTestingModule.forRoot({ name: 'drifting', memory: apps.memory, driftFactor });
    const host = hostWith('5ms', { instance: 'drifting' });
    await boot([host], [module(0.1)]);
    await expect(boot([host], [module(0.9)])).rejects.toThrow(/^ttl: .*Host\.run.*at least 22 ms/);
  });
});

describe('a key function', () => {
  it('that throws undefined is asked once for a tick', async () => {
    let asked = 0;
    @Injectable()
    class Host {
      @Cron('0 * * * * *')
      @WithLock(() => {
        if (++asked > 50) return 'stop';
        // eslint-disable-next-line @typescript-eslint/only-throw-error -- what the test is about
        throw undefined;
      }, '10s')
      run(): Promise<void> {
        return nothing();
      }
    }
    await boot([Host]);
    asked = 0;
    await seconds(1);
    expect(asked).toBe(1);
  });

  it('that rejects is refused, and leaves no rejection behind', async () => {
    @Injectable()
    class Host {
      @WithLock((() => Promise.reject(new Error('no key'))) as never)
      run(): Promise<void> {
        return nothing();
      }
    }
    const host = (await boot([Host])).get(Host);
    await expect(host.run()).rejects.toBeInstanceOf(InvalidOptionsError);
  });

  it('that gives the same keys in another order makes one job, which can be paused', async () => {
    let count = 0;
    @Injectable()
    class Host {
      @Cron('* * * * * *')
      @WithLock(() => (++count % 2 === 0 ? ['a', 'b'] : ['b', 'a']), '500ms')
      run(): Promise<void> {
        return nothing();
      }
    }
    const jobs = (await boot([Host])).get(RedlockJobs);
    await seconds(3);
    expect((await jobs.list()).map(({ job }) => job)).toEqual(['a, b']);
    await jobs.pause('a, b');
  });

  it('whose host is ready only after it was asked at the start makes jobs of its own, which can be paused', async () => {
    @Injectable()
    class Host {
      region: string | undefined;
      ids: string[] = [];
      onApplicationBootstrap(): void {
        [this.region, this.ids] = ['eu', ['one']];
      }
      @Cron('* * * * * *')
      @WithLock(function (this: Host) {
        return `report:${this.region}`;
      }, '500ms')
      report(): Promise<void> {
        return nothing();
      }
      @Cron('* * * * * *')
      @WithLock(function (this: Host) {
        return this.ids.map((id) => `a:${id}`);
      }, '500ms')
      first(): Promise<void> {
        return nothing();
      }
      @Cron('* * * * * *')
      @WithLock(function (this: Host) {
        return this.ids.map((id) => `b:${id}`);
      }, '500ms')
      second(): Promise<void> {
        return nothing();
      }
    }
    const jobs = (await boot([Host])).get(RedlockJobs);
    await seconds(3);
    expect((await jobs.list()).map(({ job }) => job)).toEqual(['report:eu', 'a:one', 'b:one']);
    await jobs.pause('report:eu');
  });
});

it('P10: the error of a run is passed on as it is, also one that the run has from another lock', async () => {
  const mine = Object.freeze(new QuorumUnreachableError('acquire', ['other'], 3, []));
  @Injectable()
  class Host {
    @Cron('0 0 1 1 *')
    @WithLock('k', '500ms')
    run(): Promise<void> {
      return Promise.reject(mine);
    }
  }
  const app = await boot([Host]);
  await expect(app.get(RedlockJobs).runNow('k')).rejects.toBe(mine);
});

describe('P16: a call', () => {
  it.each<[string, (redlock: RedlockService) => Promise<unknown>]>([
    ['acquire', (redlock) => redlock.acquire('k', '5s', null as never)],
    ['tryAcquire', (redlock) => redlock.tryAcquire('k', '5s', null as never)],
    ['withLock', (redlock) => redlock.withLock('k', '5s', nothing, null as never)],
    ['a tick beyond all dates', (redlock) => redlock.tryAcquire('k', '5s', { tick: 9e15 })],
  ])('refuses by name what it cannot take: %s', async (_, call) => {
    await expect(call((await boot([])).get(RedlockService))).rejects.toBeInstanceOf(InvalidOptionsError);
  });
});
