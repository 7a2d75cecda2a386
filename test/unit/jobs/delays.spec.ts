import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Injectable, type Type } from '@nestjs/common';
import { Cron, Interval } from '@nestjs/schedule';
import { CronJob } from 'cron';
import {
  currentLock,
  getRedlockToken,
  RedlockEvents,
  RedlockJobs,
  WithLock,
  type RedlockService,
} from 'redlock-nestjs';
import type { NodeReply } from '../../../lib/core/ports/lock-node.js';
import { scheduledApps } from '../../support/scheduled-app.js';

const apps = scheduledApps();
const { boot, seconds, logger } = apps;

/** How long after full seconds the runs have begun. */
const begun: number[] = [];
const note = (): Promise<void> => Promise.resolve(void begun.push(Date.now() % 1000));

/** The part of each spread and jitter that is drawn from now on. Nest draws at boot, too. */
function draw(part: number): void {
  jest.spyOn(Math, 'random').mockReturnValue(part);
}

afterEach(() => {
  begun.splice(0);
  jest.restoreAllMocks();
});

describe('spread', () => {
  @Injectable()
  class Job {
    @Cron('* * * * * *')
    @WithLock('job', '500ms', { spread: '200ms' })
    run(): Promise<void> {
      return note();
    }
  }

  it('makes each replica wait for a random part of it before it asks; the tick is the same', async () => {
    const app = await boot([Job]);
    draw(0.5);
    const ticks: unknown[] = [];
    app.get(RedlockEvents).on('jobStarted', ({ tick, lateByMs }) => ticks.push([tick?.getMilliseconds(), lateByMs]));
    await seconds(2);
    expect(begun).toEqual([100, 100]);
    expect(ticks).toEqual([
      [0, 100],
      [0, 100],
    ]);
  });

  it('is at most a quarter of the period', async () => {
    @Injectable()
    class Long {
      @Cron('* * * * * *')
      @WithLock('long', '500ms', { spread: '10s' })
      run(): Promise<void> {
        return note();
      }
    }
    await boot([Long]);
    draw(0.9999);
    await seconds(1);
    expect(begun).toEqual([250]);
  });

  it('shares 300 jobs of one instant among 6 replicas: each runs between a third and thrice its share', async () => {
    const shares = new Map<unknown, number>();
    for (let replica = 0; replica < 6; replica++) {
      const all = (await boot([])).get(RedlockJobs);
      for (let index = 0; index < 300; index++) {
        const run = (): Promise<unknown> => Promise.resolve(shares.set(all, (shares.get(all) ?? 0) + 1));
        const cron: CronJob = new CronJob(new Date('2026-03-01T02:00:00Z'), () => job.fire());
        const job = all.add(`job ${index}`, { cron, run, spread: '25ms' });
        cron.start();
      }
    }
    await seconds(1);
    const counts = [...shares.values()];
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(300);
    expect(counts).toHaveLength(6);
    expect(Math.min(...counts)).toBeGreaterThan(50 / 3);
    expect(Math.max(...counts)).toBeLessThan(50 * 3);
  });

  /** An hourly job whose timer is fired by hand, on one replica. */
  async function hourly(ran: unknown[]): Promise<() => Promise<void>> {
    const cron = new CronJob('0 0 * * * *', () => undefined);
    const run = (): Promise<unknown> => Promise.resolve(ran.push(currentLock()?.tick?.toISOString().slice(11, 16)));
    const all = (await boot([])).get(RedlockJobs);
    return all.add('hourly', { cron, run, ttl: '10s', spread: '15m' }).fire;
  }

  it('P8: ends before the period does where the timer is late by nearly that much: the claim of the tick is over later', async () => {
    const ran: unknown[] = [];
    const [one, two] = [await hourly(ran), await hourly(ran)];
    await seconds(0.5);
    draw(0);
    await Promise.all([one(), seconds(1)]);
    await seconds(58 * 60);
    draw(0.99);
    await Promise.all([two(), seconds(16 * 60)]);
    expect(ran).toEqual(['02:00']);
  });

  it('P8: a process that stands still meanwhile, for longer than the period, asks for the newest tick', async () => {
    const ran: unknown[] = [];
    const [one, two] = [await hourly(ran), await hourly(ran)];
    await seconds(0.5);
    draw(0);
    await Promise.all([one(), seconds(1)]);
    draw(0.5);
    const late = two();
    jest.setSystemTime(Date.now() + 3 * 3_600_000);
    apps.memory.clear(); // The claim is over. A server in memory counts it on the other clock.
    await Promise.all([late, seconds(16 * 60)]);
    expect(ran).toEqual(['02:00', '05:00']);
  });

  it('does not hold up calls by hand', async () => {
    const job = (await boot([Job])).get(Job);
    draw(0.5);
    await job.run();
    expect(begun).toEqual([500]);
  });

  it('leaves an interval as long as it is, whatever was drawn before', async () => {
    @Injectable()
    class Often {
      @Interval(1000)
      @WithLock('often', '500ms', { spread: '250ms' })
      run(): Promise<void> {
        return note();
      }
    }
    await boot([Often]);
    draw(0.9);
    await seconds(1.4);
    draw(0);
    await seconds(1);
    expect(begun).toEqual([725, 500]);
  });

  it('ends early when the application shuts down, and nothing runs', async () => {
    const app = await boot([Job]);
    draw(0.9);
    const reasons: string[] = [];
    app.get(RedlockEvents).on('skipped', ({ reason }) => reasons.push(reason));
    await seconds(0.55);
    await app.get<RedlockService>(getRedlockToken()).drain();
    await seconds(0);
    expect(reasons).toEqual(['closing']);
    await seconds(1);
    expect(begun).toEqual([]);
  });
});

describe('jitter', () => {
  @Injectable()
  class Job {
    @Cron('*/2 * * * * *')
    @WithLock('job', '500ms', { jitter: '1s' })
    run(): Promise<void> {
      expect(currentLock()?.isHeld()).toBe(true);
      return note();
    }
  }

  it('waits for a random part of it under the lock, which is extended meanwhile', async () => {
    const app = await boot([Job]);
    await boot([Job]);
    draw(0.9);
    await seconds(1);
    const redlock = app.get<RedlockService>(getRedlockToken());
    expect(await redlock.tryAcquire('job', '500ms')).toBeNull();
    expect(begun).toEqual([]);
    await seconds(0.5);
    expect(begun).toEqual([900]);
    expect(logger.problems).toEqual([]);
  });

  it('ends when the lock is lost, and the method does not run', async () => {
    const app = await boot([Job]);
    draw(0.9);
    const failed: unknown[] = [];
    app.get(RedlockEvents).on('jobFailed', ({ error }) => failed.push(error));
    await seconds(0.7);
    apps.memory.clear();
    await seconds(0.3);
    expect(failed).toEqual([expect.objectContaining({ code: 'LOCK_LOST' })]);
    await seconds(0.5);
    expect(begun).toEqual([]);
  });

  it('ends when the application shuts down, and the method runs', async () => {
    const app = await boot([Job]);
    draw(0.9);
    await seconds(0.6);
    await app.get<RedlockService>(getRedlockToken()).drain();
    expect(begun).toEqual([100]);
  });

  it('does not hold up calls by hand', async () => {
    const job = (await boot([Job])).get(Job);
    draw(0.9);
    await job.run();
    expect(begun).toEqual([500]);
  });

  describe('of a job that is paused meanwhile', () => {
    async function pausedDuringJitter(type: Type = Job): Promise<{ jobs: RedlockJobs; told: unknown[] }> {
      const app = await boot([type]);
      const told: unknown[] = [];
      app
        .get(RedlockEvents)
        .observe()
        .subscribe((event) => {
          if (event.type === 'skipped') told.push([event.type, event.reason]);
          if (event.type.startsWith('job')) told.push(event.type);
        });
      const jobs = app.get(RedlockJobs);
      draw(0.9);
      await seconds(0.7);
      await jobs.pause('job', { reason: 'stock-taking' });
      return { jobs, told };
    }

    it('P20: no run begins after pause has returned, and none is recorded', async () => {
      const { jobs, told } = await pausedDuringJitter();
      await seconds(1);
      expect(begun).toEqual([]);
      expect(told).toEqual(['jobStarted', ['skipped', 'paused']]);
      expect(await jobs.history('job')).toEqual([]);
      expect(logger.problems).toEqual([]);
    });

    it('rejects with that where the method asks for it', async () => {
      @Injectable()
      class Throwing {
        @Cron('*/2 * * * * *')
        @WithLock('job', '500ms', { jitter: '1s', onContended: 'throw' })
        run(): Promise<void> {
          return note();
        }
      }
      await pausedDuringJitter(Throwing);
      await seconds(1);
      expect(begun).toEqual([]);
      expect(logger.of('error')).toEqual([expect.stringContaining('"job" is paused: stock-taking.')]);
    });

    it('does not begin where too few servers say whether it is, until its lock is lost', async () => {
      const app = await boot([Job]);
      draw(0.9);
      await seconds(1.3);
      const refused: NodeReply = { outcome: 'failed', reason: 'refused', cause: new Error('OOM') };
      for (const { node } of app.get<RedlockService>(getRedlockToken()).client.shards.servers) {
        jest.spyOn(node, 'execute').mockImplementation((requests, onReplies) => {
          onReplies(requests.map(() => refused));
        });
      }
      await seconds(2);
      expect(begun).toEqual([]);
      expect(logger.of('error')).toContainEqual(expect.stringContaining('LockLostError'));
    });

    it('leaves the interval free for another replica', async () => {
      @Injectable()
      class Rare {
        @Interval(1000)
        @WithLock('job', '500ms', { jitter: '400ms' })
        run(): Promise<void> {
          return note();
        }
      }
      const jobs = (await boot([Rare])).get(RedlockJobs);
      await seconds(0.4);
      await boot([Rare]);
      draw(0.9);
      await seconds(0.8); // The first one fires 1 s after its start, and waits for 360 ms.
      await jobs.pause('job');
      await seconds(0.18);
      await jobs.resume('job');
      draw(0);
      await seconds(0.1);
      expect(begun).toEqual([900]);
    });
  });
});
