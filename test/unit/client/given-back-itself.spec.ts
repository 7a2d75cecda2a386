import { describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Cron } from '@nestjs/schedule';
import { RedlockEvents, RedlockJobs, RedlockService, WithLock, currentLock } from 'redlock-nestjs';
import { scheduledApps } from '../../support/scheduled-app.js';

const { boot, seconds } = scheduledApps();
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function service(): Promise<RedlockService> {
  return (await boot([])).get(RedlockService);
}

describe('P10: work that gives its lock back itself', () => {
  it('rejects where the lock was lost before that: expired, and taken by another process', async () => {
    const [redlock, other] = [await service(), await service()];
    const result = redlock.withLock(
      'a',
      '1s',
      async (lock) => {
        await using own = lock;
        await sleep(3000);
        return own.token;
      },
      { autoExtend: false },
    );
    const rejected = expect(result).rejects.toMatchObject({ code: 'LOCK_LOST', reason: 'expired' });
    await seconds(2);
    await (await other.acquire('a', '500ms', { wait: 0 })).release();
    await seconds(2);
    await rejected;
  });

  it('resolves where the lock was held until then', async () => {
    const redlock = await service();
    const result = redlock.withLock('a', '1s', async (lock) => {
      await lock.release();
      await sleep(3000);
      return 'written';
    });
    await seconds(4);
    expect(await result).toBe('written');
  });

  it('is no success of a job whose lock was lost', async () => {
    @Injectable()
    class Jobs {
      @Cron('0 * * * * *')
      @WithLock('j', '1s', { autoExtend: false })
      async run(): Promise<void> {
        await sleep(3000);
        await currentLock()?.release();
      }
    }
    const app = await boot([Jobs]);
    const heard: string[] = [];
    for (const name of ['jobSucceeded', 'jobFailed'] as const) app.get(RedlockEvents).on(name, () => heard.push(name));
    await seconds(10);
    const [run] = await app.get(RedlockJobs).history('j');
    expect([run?.outcome, ...heard]).toEqual(['lost', 'jobFailed']);
  });
});

describe('P1: a call that runs under the lock around it', () => {
  it('gives back its use of that lock only, and sees that it has', async () => {
    const [redlock, other] = [await service(), await service()];
    const seen: unknown[] = [];
    const outer = redlock.withLock('k', '5s', async (lock) => {
      const nested = async (own: typeof lock): Promise<void> => {
        expect([own.token, own.keys, own.fencingToken]).toEqual([lock.token, lock.keys, lock.fencingToken]);
        expect(currentLock()).toBe(own);
        await own.extend('5s');
        await own.release();
        seen.push(own.isHeld(), own.remaining);
        expect(() => own.assertHeld()).toThrow('released');
        await expect(own.extend()).rejects.toMatchObject({ code: 'LOCK_RELEASED' });
        await expect(own.release()).rejects.toMatchObject({ code: 'LOCK_RELEASED' });
        await own[Symbol.asyncDispose]();
      };
      await redlock.withLock('k', '5s', nested, { reentrant: true });
      await sleep(2000);
      seen.push(lock.isHeld());
      return 'written';
    });
    await seconds(1);
    expect(await other.tryAcquire('k', '5s')).toBeNull();
    await seconds(2);
    expect([await outer, ...seen]).toEqual(['written', false, 0, true]);
    expect(await other.tryAcquire('k', '5s')).not.toBeNull();
  });

  it('does not run with a signal that has aborted', async () => {
    const redlock = await service();
    const options = { signal: AbortSignal.abort('no'), reentrant: true };
    const work = (): Promise<unknown> => redlock.withLock('k', '5s', () => Promise.resolve('ran'), options);
    await expect(redlock.withLock('k', '5s', work)).rejects.toBe('no');
  });
});
