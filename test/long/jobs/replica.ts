import 'reflect-metadata';
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Module, type INestApplicationContext, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Cron, ScheduleModule } from '@nestjs/schedule';
import { CronJob } from 'cron';
import { currentLock, RedlockJobs, RedlockModule, WithLock } from 'redlock-nestjs';
import { answerQuestions } from '../../support/process.answers.js';
import { MANY, type Command, type JobsName, type Line } from './replica.interface.js';

let file = '';

function write(what: Line['what'], job: string): void {
  const lock = currentLock()!;
  const tickMs = lock.tick?.getTime();
  const line: Line = {
    ...{ what, job, pid: process.pid, atMs: Date.now(), fencingToken: lock.fencingToken, late: lock.late },
    ...(tickMs !== undefined && { tickMs }),
  };
  appendFileSync(file, `${JSON.stringify(line)}\n`);
}

async function work(job: string, takesMs = 1): Promise<void> {
  write('begun', job);
  await sleep(takesMs);
  write('ended', job);
}

@Injectable()
class Often {
  @Cron('* * * * * *')
  @WithLock('often', '800ms')
  often(): Promise<void> {
    return work('often');
  }
}

@Injectable()
class Missing {
  @Cron('*/5 * * * * *')
  @WithLock('made up', '2s', { catchUp: '1m' })
  madeUp(): Promise<void> {
    return work('made up');
  }
  @Cron('*/5 * * * * *')
  @WithLock('lost', '2s')
  lost(): Promise<void> {
    return work('lost');
  }
}

@Injectable()
class Dying {
  @Cron('*/15 * * * * *')
  @WithLock('again', '1s', { onCrash: 'again' })
  again(): Promise<void> {
    return work('again', 3000);
  }
  @Cron('*/15 * * * * *')
  @WithLock('skip', '1s')
  skip(): Promise<void> {
    return work('skip', 3000);
  }
}

const CLASSES: Record<JobsName, readonly Type[]> = { Often: [Often], Missing: [Missing], Dying: [Dying], None: [] };

let app: INestApplicationContext;

async function boot(command: Extract<Command, { kind: 'boot' }>): Promise<void> {
  ({ file } = command);
  // A server without data is kept from voting for as long as a tick stays claimed: not for long here.
  const redlock = RedlockModule.forRoot([...command.servers], { clockTolerance: 0, nodeTimeout: '1s' });
  @Module({ imports: [ScheduleModule.forRoot(), redlock], providers: [...CLASSES[command.jobs]] })
  class ReplicaModule {}
  app = await NestFactory.createApplicationContext(ReplicaModule, { logger: false, abortOnError: false });
}

function add({ dueAtMs, spread }: Extract<Command, { kind: 'add' }>): void {
  for (let index = 0; index < MANY; index++) {
    const name = `job ${index}`;
    const cron: CronJob = new CronJob(new Date(dueAtMs), () => job.fire());
    const job = app.get(RedlockJobs).add(name, { cron, spread, ttl: '1m', run: () => work(name) });
    cron.start();
  }
}

answerQuestions(async (command: Command): Promise<unknown> => {
  if (command.kind === 'load') return undefined;
  if (command.kind === 'boot') return await boot(command);
  if (command.kind === 'close') return await app.close();
  if (command.kind === 'add') {
    add(command);
    return undefined;
  }
  const jobs = app.get(RedlockJobs);
  return command.kind === 'list' ? await jobs.list() : await jobs[command.kind](command.job);
});
