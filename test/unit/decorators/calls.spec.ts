import { getEventListeners } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { applyDecorators } from '@nestjs/common';
import { Cron } from '@nestjs/schedule';
import { WithLock, type RedlockService } from 'redlock-nestjs';
import { lockedMethodsOf } from '../../../lib/decorators/locked-method.js';
import { fire } from '../../support/fire.js';

/** No more than the tests of an application give. */
const stub = {
  withLock: async (_key: unknown, _ttl: unknown, work: (lock: unknown) => Promise<unknown>) => await work({}),
} as unknown as RedlockService;

function ready<T extends object>(host: T, service: object = stub): T {
  for (const { property } of lockedMethodsOf(host)) Object.assign(host, { [property]: service });
  return host;
}

class Jobs {
  @Cron('0 0 2 * * *')
  @WithLock('nightly')
  nightly(): Promise<string> {
    return Promise.resolve('ran');
  }
  @WithLock(() => undefined as unknown as string, '1s')
  noKey(): Promise<string> {
    return Promise.resolve('ran');
  }
}

describe('P9: a decorated method', () => {
  it('runs with a stand-in for the service that has withLock alone, by hand and by its schedule', async () => {
    const jobs = ready(new Jobs());
    expect([await jobs.nightly(), await fire(jobs, 'nightly')]).toEqual(['ran', 'ran']);
  });

  it('names itself where its key function gives no key, and does not run', async () => {
    await expect(ready(new Jobs()).noKey()).rejects.toThrow(
      /^key: the key function of @WithLock on Jobs\.noKey .*takes a string that is not empty.* got undefined/,
    );
  });

  it('says that `this` was lost, whatever took its place', async () => {
    const { nightly } = ready(new Jobs());
    for (const lost of [nightly(), nightly.call(setTimeout(() => undefined, 0) as never), nightly.call({} as never)]) {
      await expect(lost).rejects.toThrow(/Jobs\.nightly was called without its host \(`this` was lost\)/);
    }
  });

  it('that is not async, from JavaScript, is locked as if it were', async () => {
    class Sync {
      @(WithLock('sync', '1s') as MethodDecorator)
      run(): number {
        return 7;
      }
    }
    const result: unknown = ready(new Sync()).run();
    expect(result).toBeInstanceOf(Promise);
    expect(await result).toBe(7);
  });

  it('leaves nothing on a signal that lives on', async () => {
    const { signal } = new AbortController();
    const closing = new AbortController().signal;
    let listening = 0;
    class Host {
      @Cron('* * * * * *')
      @WithLock('k', '1s', { signal })
      run(): Promise<void> {
        listening = getEventListeners(signal, 'abort').length;
        return Promise.resolve();
      }
    }
    const host = ready(new Host(), { ...stub, closing });
    await fire(host, 'run');
    expect(listening).toBe(1);
    for (const each of [signal, closing]) expect(getEventListeners(each, 'abort')).toEqual([]);
  });
});

describe('WithLock as a type', () => {
  it('fits MethodDecorator and applyDecorators', () => {
    const list: MethodDecorator[] = [Cron('* * * * *'), WithLock('job', '30s')];
    const plain: MethodDecorator = WithLock('job');
    const LockedCron = (expression: string, key: string): MethodDecorator =>
      applyDecorators(Cron(expression), WithLock(key, '30s'));
    class Host {
      @LockedCron('* * * * *', 'job')
      run(): Promise<string> {
        return Promise.resolve('ran');
      }
    }
    expect([list.length, typeof plain, lockedMethodsOf(new Host()).length]).toEqual([2, 'function', 1]);
  });

  it('does not compile on a method that returns no promise', () => {
    class Host {
      // @ts-expect-error -- a lock would be released before anything that this starts is done
      @WithLock('k', '1s')
      method(): number {
        return 1;
      }
    }
    expect(Host.name).toBe('Host');
  });
});
