import 'reflect-metadata';
import { Module, type INestApplicationContext, type LoggerService } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ScheduleModule } from '@nestjs/schedule';
import { RedlockEvents, RedlockModule, RedlockService, type Lock } from 'redlock-nestjs';
import { answerQuestions } from '../../support/process.answers.js';
import { COUNTED_EVENTS, COUNTED_JOB_EVENTS, type CountedEvent, type CountedJobEvent } from '../../history/events.js';
import { SharedClock } from '../shared-clock.js';
import { HistoryWriter } from '../history-writer.js';
import { JobSteering } from './job-steering.js';
import { Jobs, recordWith } from './jobs.js';
import { Recorder } from './recorder.js';
import { DRIFT_FACTOR, NODE_TIMEOUT_MS, type Answer, type Boot, type Command } from './replica.interface.js';
import { Workload } from './workload.js';

/** One replica: a Nest application in a process of its own, which writes all its lock calls to a history. */
let app: INestApplicationContext;
let recorder: Recorder;
const COUNTED = [...COUNTED_EVENTS, ...COUNTED_JOB_EVENTS];
const emitted = Object.fromEntries(COUNTED.map((name) => [name, 0])) as Record<CountedEvent | CountedJobEvent, number>;
let workload: Workload | undefined;
let steering: JobSteering | undefined;

async function boot(command: Boot): Promise<void> {
  const { name: client, urls, restartGuard, clockToleranceMs: clockTolerance, busy } = command;
  const writer = new HistoryWriter(command.historyFile, new SharedClock(BigInt(command.origin)), (fromMs, toMs) => {
    writer.at(fromMs, { kind: 'paused', client });
    writer.at(toMs, { kind: 'resumed', client });
  });
  recorder = new Recorder(client, command.firstAttempt, writer, new SharedClock(BigInt(command.origin)));
  writer.at(writer.signAtMs, { kind: 'started', client });

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
  const events = app.get(RedlockEvents);
  recordWith(recorder, events);
  for (const name of COUNTED) {
    // A tick that comes while the application shuts down is skipped before there is a call of it.
    events.on(name, (event) => {
      if (event.type !== 'skipped' || event.reason !== 'closing') emitted[name]++;
    });
  }
  if (!busy) return;
  workload = new Workload(app.get(RedlockService), recorder, command.seed);
  await workload.start();
  steering = new JobSteering(app.get(RedlockService).client, recorder, command.seed);
  steering.start();
}

/** Faults cause many log lines. Only the failed releases are needed, which no call reports. */
const logger: LoggerService = {
  log: () => undefined,
  error: () => undefined,
  warn: (message: unknown) => {
    if (String(message).includes('could not be released')) recorder.releasesFailed++;
  },
};

async function take({ key, ttlMs }: Extract<Command, { kind: 'take' }>): Promise<boolean> {
  const log = recorder.ask({ keys: [key], ttlMs, waitMs: 0, nodeTimeoutMs: NODE_TIMEOUT_MS });
  try {
    const lock: Lock | null = await app.get(RedlockService).tryAcquire(key, ttlMs);
    if (lock === null) log.refuse('LOCK_CONTENDED');
    else log.grant(lock);
  } catch (error) {
    log.refuse(error);
  }
  return log.granted;
}

async function close(): Promise<void> {
  recorder.closing = true;
  await Promise.all([workload?.stop(), steering?.stop(), app.close()]);
  recorder.writer.write({ kind: 'emitted', client: recorder.client, counts: emitted });
  recorder.writer.write({ kind: 'stopped', client: recorder.client });
  recorder.writer.close();
}

answerQuestions(async (command: Command): Promise<Answer> => {
  switch (command.kind) {
    case 'boot':
      await boot(command);
      return undefined;
    case 'stay':
      return await new Promise(() => undefined);
    case 'take':
      return await take(command);
    case 'close':
      await close();
      return undefined;
    default:
      return command satisfies never;
  }
});
