import { getEventListeners } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { Cron } from '@nestjs/schedule';
import { WithLock, type RedlockService } from 'redlock-nestjs';
import { lockedMethodsOf } from '../../../lib/decorators/locked-method.js';
import { fire } from '../../support/fire.js';

describe('P14: a signal that many jobs have', () => {
  it('has no more listeners than Node takes without a warning, however many of them run at once', async () => {
    const { signal } = new AbortController(); // That of the application, say.
    const closing = new AbortController().signal;
    const service = {
      closing,
      withLock: async (_key: unknown, _ttl: unknown, work: (lock: unknown) => Promise<unknown>) => await work({}),
    } as unknown as RedlockService;
    let end: () => void = () => undefined;
    const ended = new Promise<void>((resolve) => (end = resolve));
    const jobs = Array.from({ length: 12 }, (_, index) => {
      class Job {
        @Cron('* * * * * *')
        @WithLock(`job-${index}`, '1s', { signal })
        run(): Promise<void> {
          return ended;
        }
      }
      const job = new Job();
      for (const { property } of lockedMethodsOf(job)) Object.assign(job, { [property]: service });
      return job;
    });
    const runs = jobs.map((job) => fire(job, 'run'));
    await new Promise((resolve) => setImmediate(resolve));
    const listening = getEventListeners(signal, 'abort').length;
    end();
    await Promise.all(runs);
    expect(listening).toBeLessThanOrEqual(10);
  });
});
