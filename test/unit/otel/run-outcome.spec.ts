import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Cron } from '@nestjs/schedule';
import { currentLock, LockLostError, RedlockJobs, RedlockService, WithLock } from 'redlock-nestjs';
import { RedlockOtelModule } from 'redlock-nestjs/otel';
import { scheduledApps } from '../../support/scheduled-app.js';
import { Telemetry } from '../../support/telemetry.js';

let work: () => Promise<void>;

@Injectable()
class Jobs {
  @Cron('0 * * * * *')
  @WithLock('invoices', '20s')
  send(): Promise<void> {
    return work();
  }

  @Cron('0 0 3 * * *')
  @WithLock('report', '20s', { reentrant: true })
  report(): Promise<void> {
    return work();
  }
}

describe('the outcome of a run in the metrics is that of its history', () => {
  const apps = scheduledApps();
  let telemetry: Telemetry;
  beforeEach(() => {
    telemetry = new Telemetry();
  });
  afterEach(() => telemetry.shutdown());

  const outcomes = async (app: Awaited<ReturnType<typeof apps.boot>>): Promise<[unknown, unknown]> => {
    const [run] = await app.get(RedlockJobs).history('invoices');
    const [point] = await telemetry.points('redlock.job.runs');
    return [run?.outcome, point?.attributes['redlock.outcome']];
  };

  it('lost, where the work is cut off by the signal and rejects with an error of its own', async () => {
    work = () =>
      new Promise((_, reject) => {
        currentLock()!.signal.addEventListener('abort', () => {
          reject(new DOMException('The operation was aborted', 'AbortError'));
        });
      });
    const app = await apps.boot([Jobs], [RedlockOtelModule.forRoot(telemetry.options)]);
    await apps.seconds(0.55);
    expect(await app.get(RedlockService).forceRelease('invoices')).toBe(true);
    await apps.seconds(1);
    expect(await outcomes(app)).toEqual(['lost', 'lost']);
  });

  it('failed, where the work rejects with the loss of another lock, and holds its own', async () => {
    work = () => Promise.reject(new LockLostError(['another'], 'taken'));
    const app = await apps.boot([Jobs], [RedlockOtelModule.forRoot(telemetry.options)]);
    await apps.seconds(1);
    expect(await outcomes(app)).toEqual(['failed', 'failed']);
  });

  it('and goes by the lock of the work around it, where it runs under that one and has no history', async () => {
    const app = await apps.boot([Jobs], [RedlockOtelModule.forRoot(telemetry.options)]);
    const redlock = app.get(RedlockService);
    const runNested = (): Promise<unknown> =>
      redlock.withLock('report', '20s', () => app.get(Jobs).report()).catch(() => undefined);
    work = () => Promise.reject(new Error('no paper'));
    await runNested();
    work = async () => {
      await redlock.forceRelease('report');
      throw new Error('no paper');
    };
    await runNested();
    const points = await telemetry.points('redlock.job.runs');
    expect(points.map(({ value, attributes }) => [value, attributes['redlock.outcome']])).toEqual([
      [1, 'failed'],
      [1, 'lost'],
    ]);
  });
});
