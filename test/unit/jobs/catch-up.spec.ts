import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Injectable, type Type } from '@nestjs/common';
import { Cron, SchedulerRegistry } from '@nestjs/schedule';
import {
  currentLock,
  RedlockEvents,
  RedlockJobs,
  RedlockService,
  WithLock,
  type RedlockEvent,
  type WithLockOptions,
} from 'redlock-nestjs';
import type { NodeReply } from '../../../lib/core/ports/lock-node.js';
import { leaveDeadRun } from '../../support/dead-run.js';
import { scheduledApps } from '../../support/scheduled-app.js';

const apps = scheduledApps();
const { boot, seconds, logger } = apps;

interface Run {
  readonly tick: string | undefined;
  readonly late: boolean | undefined;
}

let runs: Run[] = [];
let takesMs = 0;
beforeEach(() => {
  runs = [];
  takesMs = 0;
});

/** A job that is due every minute. */
function everyMinute(options: WithLockOptions = { catchUp: '1h' }, expression = '0 * * * * *'): Type {
  @Injectable()
  class Job {
    @Cron(expression, { name: 'job' })
    @WithLock('job', '10s', options)
    async run(): Promise<void> {
      const lock = currentLock();
      runs.push({ tick: lock?.tick?.toISOString().slice(11, 19), late: lock?.late });
      if (takesMs > 0) await new Promise((resolve) => setTimeout(resolve, takesMs));
    }
  }
  return Job;
}

/** A replica, whose time begins half a second before two o'clock. */
const replica = (type = everyMinute()): ReturnType<typeof boot> => boot([type]);

describe('P8: catchUp', () => {
  it('makes up once for the newest of three ticks at which no replica was there, and marks it late', async () => {
    const first = await replica();
    await seconds(1);
    await first.close();
    await seconds(3 * 60 + 20);
    const started: RedlockEvent<'jobStarted'>[] = [];
    for (let count = 0; count < 3; count++) {
      (await replica()).get(RedlockEvents).on('jobStarted', (event) => started.push(event));
    }
    await seconds(15);
    expect(runs).toEqual([
      { tick: '02:00:00', late: false },
      { tick: '02:03:00', late: true },
    ]);
    expect(started).toMatchObject([
      { trigger: 'catch-up', lateByMs: expect.any(Number), fencingToken: expect.any(Number) },
    ]);
    await seconds(60);
    expect(runs).toHaveLength(3);
    expect(logger.problems).toEqual([]);
  });

  it('is off by default: the ticks are lost', async () => {
    const first = await replica(everyMinute({}));
    await seconds(1);
    await first.close();
    await seconds(3 * 60);
    await replica(everyMinute({}));
    await seconds(50);
    expect(runs).toHaveLength(1);
  });

  it('makes up for no tick that has run, also where that failed, and for none that is older', async () => {
    const first = await replica();
    await seconds(2);
    await replica();
    await first.close();
    await seconds(30);
    expect(runs).toHaveLength(1);
    await seconds(60 * 60);
    runs = [];
    const old = everyMinute({ catchUp: '10s' });
    await replica(old);
    await seconds(20);
    expect(runs).toEqual([]);
  });

  it('makes up for no tick that fell into a run, whose replica or another one has seen that', async () => {
    const job = everyMinute();
    takesMs = 70_000;
    await replica(job);
    await replica(job);
    await seconds(75);
    await replica(job);
    await seconds(40);
    expect(runs).toEqual([{ tick: '02:00:00', late: false }]);
  });

  it('makes up for no tick that fell into a pause, and runs the next one', async () => {
    const app = await replica();
    const jobs = app.get(RedlockJobs);
    await jobs.pause('job');
    await seconds(5);
    await replica();
    await seconds(10);
    await jobs.resume('job');
    await replica();
    await seconds(40);
    expect(runs).toEqual([]);
    await seconds(10);
    expect(runs).toEqual([{ tick: '02:01:00', late: false }]);
  });

  it('makes up for no tick of a job whose timer does not run', async () => {
    const first = await replica();
    await seconds(1);
    await first.close();
    await seconds(180);
    void (await replica()).get(SchedulerRegistry).getCronJob('job').stop();
    await seconds(10);
    expect(runs).toHaveLength(1);
  });

  it('waits for the rest of the lock of a replica that died at an earlier tick', async () => {
    leaveDeadRun((await boot([])).get(RedlockService), { job: 'job', tickMs: Date.now() - 59_500, ttlMs: 10_000 });
    await seconds(3);
    await replica();
    await seconds(3);
    expect(runs).toEqual([]);
    await seconds(6);
    expect(runs).toEqual([{ tick: '02:00:00', late: true }]);
  });

  it('does not run the tick before the first deployment of a job, and from then on all that are missed', async () => {
    const first = await replica(everyMinute(undefined, '30 * * * * *'));
    await seconds(20);
    await first.close();
    expect(runs).toEqual([]);
    await seconds(60);
    await replica(everyMinute(undefined, '30 * * * * *'));
    await seconds(2);
    expect(runs).toEqual([{ tick: '02:00:30', late: true }]);
  });

  it('leaves a tick that has just been due to the timers', async () => {
    const first = await replica(everyMinute(undefined, '30 * * * * *'));
    await seconds(30.4);
    await first.close();
    await seconds(0.2);
    await replica(everyMinute(undefined, '30 * * * * *'));
    await seconds(0.8);
    expect(runs).toEqual([]);
    await seconds(0.5);
    expect(runs).toEqual([{ tick: '02:00:30', late: true }]);
  });
});

describe('P8: catchUp, while no majority of the servers is there', () => {
  const refused: NodeReply = { outcome: 'failed', reason: 'refused', cause: new Error('OOM') };
  const count = { voting: 0, servers: 1, needed: 1 };

  /** The servers of the replica refuse everything until the function that it gives is called. */
  function cutOff({ client }: RedlockService): () => void {
    const spies = client.shards.servers.map(({ node }) =>
      jest.spyOn(node, 'execute').mockImplementation((requests, onReplies) => {
        onReplies(requests.map(() => refused));
      }),
    );
    client.events.emit('quorumLost', count);
    return () => {
      for (const spy of spies) spy.mockRestore();
      client.events.emit('quorumRegained', { ...count, voting: 1, lostForMs: 1 });
    };
  }

  it('makes up for the tick when there is one again', async () => {
    const service = (await replica()).get(RedlockService);
    const other = (await replica()).get(RedlockService);
    const mend = [cutOff(service), cutOff(other)];
    await seconds(40);
    expect(runs).toEqual([]);
    for (const each of mend) each();
    await seconds(5);
    expect(runs).toEqual([{ tick: '02:00:00', late: true }]);
  });

  it('makes up at the boot for what was missed before, as soon as there is one', async () => {
    const first = await replica();
    await seconds(1);
    await first.close();
    await seconds(120);
    const mend = cutOff((await replica()).get(RedlockService));
    await seconds(30);
    expect(runs).toHaveLength(1);
    mend();
    await seconds(5);
    expect(runs.slice(1)).toEqual([{ tick: '02:02:00', late: true }]);
  });

  it.each([
    ['the servers were there all the time', undefined],
    ['too few servers of another shard are there', 1],
  ])('tries again by itself where %s', async (_, shard) => {
    const { client } = (await replica()).get(RedlockService);
    if (shard !== undefined) client.events.emit('quorumLost', { ...count, shard });
    const spies = client.shards.servers.map(({ node }) =>
      jest.spyOn(node, 'execute').mockImplementation((requests, onReplies) => {
        onReplies(requests.map(() => refused));
      }),
    );
    await seconds(16);
    for (const spy of spies) spy.mockRestore();
    await seconds(20);
    expect(runs).toEqual([{ tick: '02:00:00', late: true }]);
  });
});
