import 'reflect-metadata';
import { Module, type INestApplicationContext, type LoggerService } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ScheduleModule } from '@nestjs/schedule';
import { RedlockModule, RedlockService, type Lock } from 'redlock-nestjs';
import { answerQuestions } from '../../support/process.answers.js';
import { Axis } from '../shared-clock.js';
import { Diary } from '../history-writer.js';
import { Jobs, recordWith } from './jobs.js';
import { codeOf, Recorder } from './recorder.js';
import { DRIFT_FACTOR, NODE_TIMEOUT_MS, type Answer, type Boot, type Order } from './replica.interface.js';
import { Workload } from './workload.js';

/** One replica: a Nest application in a process of its own, which writes down all that it does with locks. */
let app: INestApplicationContext;
let recorder: Recorder;
let workload: Workload | undefined;

async function boot(order: Boot): Promise<void> {
  const { name: client, urls, restartGuard, clockToleranceMs: clockTolerance, busy } = order;
  const diary = new Diary(order.diary, new Axis(BigInt(order.origin)), (fromMs, toMs) => {
    diary.at(fromMs, { kind: 'paused', client });
    diary.at(toMs, { kind: 'resumed', client });
  });
  recorder = new Recorder(client, order.firstAttempt, diary, new Axis(BigInt(order.origin)));
  recordWith(recorder);
  diary.at(diary.signAtMs, { kind: 'started', client });

  @Module({
    imports: [
      RedlockModule.forRoot([...urls], {
        restartGuard,
        clockTolerance,
        nodeTimeout: NODE_TIMEOUT_MS,
        driftFactor: DRIFT_FACTOR,
        reconnectDelay: 100,
        maxReconnectDelay: 500,
        owner: client,
      }),
      ...(busy ? [ScheduleModule.forRoot()] : []),
    ],
    providers: busy ? [Jobs] : [],
  })
  class ReplicaModule {}
  app = await NestFactory.createApplicationContext(ReplicaModule, { logger, abortOnError: false });
  if (!busy) return;
  workload = new Workload(app.get(RedlockService), recorder, order.seed);
  await workload.start();
}

/** Faults make much noise. Only what nobody else tells is of interest. */
const logger: LoggerService = {
  log: () => undefined,
  error: () => undefined,
  warn: (message: unknown) => {
    if (String(message).includes('could not be released')) recorder.releasesFailed++;
  },
};

async function take({ key, ttlMs }: Extract<Order, { kind: 'take' }>): Promise<boolean> {
  const log = recorder.ask({ keys: [key], ttlMs, waitMs: 0, nodeTimeoutMs: NODE_TIMEOUT_MS });
  try {
    const lock: Lock | null = await app.get(RedlockService).tryAcquire(key, ttlMs);
    if (lock === null) log.refuse('LOCK_CONTENDED');
    else log.grant(lock);
  } catch (error) {
    log.refuse(codeOf(error));
  }
  return log.granted;
}

async function close(): Promise<void> {
  recorder.closing = true;
  await Promise.all([workload?.stop(), app.close()]);
  recorder.diary.write({ kind: 'stopped', client: recorder.client });
  recorder.diary.close();
}

answerQuestions(async (order: Order): Promise<Answer> => {
  switch (order.kind) {
    case 'boot':
      await boot(order);
      return undefined;
    case 'stay':
      return await new Promise(() => undefined);
    case 'take':
      return await take(order);
    case 'close':
      await close();
      return undefined;
    default:
      return order satisfies never;
  }
});
