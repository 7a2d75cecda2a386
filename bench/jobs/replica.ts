import 'reflect-metadata';
import { Injectable, Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Cron, ScheduleModule } from '@nestjs/schedule';
import { RedlockModule, WithLock } from 'redlock-nestjs';
import type { Begun, TickQuestion } from './questions.js';

const begun: Begun[] = [];
let app: INestApplicationContext | undefined;

/** A replica of an application with so many jobs, all on the same tick. */
export async function startReplica({ urls, jobs, everySeconds }: TickQuestion): Promise<null> {
  @Module({
    imports: [ScheduleModule.forRoot(), RedlockModule.forRoot([...urls])],
    providers: [jobsOf(jobs, everySeconds)],
  })
  class AppModule {}
  // A run that does not come about is missed in the answer.
  app = await NestFactory.createApplicationContext(AppModule, { logger: false });
  return null;
}

export async function stopReplica(): Promise<readonly Begun[]> {
  await app?.close();
  return begun;
}

function jobsOf(count: number, everySeconds: number): new () => object {
  @Injectable()
  class Jobs {}
  for (let job = 0; job < count; job++) {
    const run = (): Promise<void> => {
      begun.push({ job, atMs: Date.now() });
      return Promise.resolve();
    };
    const name = `job${job}`;
    Object.defineProperty(Jobs.prototype, name, { value: run, writable: true, configurable: true });
    // As decorators above a method that is written out.
    const method = Object.getOwnPropertyDescriptor(Jobs.prototype, name)! as TypedPropertyDescriptor<typeof run>;
    WithLock(name)(Jobs.prototype, name, method);
    Cron(`*/${everySeconds} * * * * *`)(Jobs.prototype, name, method);
    Object.defineProperty(Jobs.prototype, name, method);
  }
  return Jobs;
}
