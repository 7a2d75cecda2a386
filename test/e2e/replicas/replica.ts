import 'reflect-metadata';
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Cron, ScheduleModule } from '@nestjs/schedule';
import { RedlockModule, WithLock } from 'redlock-nestjs';
import { fire as fireNow } from '../../support/fire.js';
import { CollectingLogger } from '../../support/collecting-logger.js';
import { answerQuestions } from '../../support/process.answers.js';
import { atDate } from './compressed-date.js';
import {
  dateOf,
  sharedNowMs,
  type Call,
  type Firing,
  type Command,
  type Report,
  type Run,
} from './replica.interface.js';

const LONG_JOB_MS = 2500;
const LATEST_MS = 300;

const keyOf = ({ key }: Call): string => key;

let runs: Run[] = [];
let firings: Firing[] = [];

async function run({ key, tick, takesMs }: Pick<Call, 'key' | 'tick' | 'takesMs'>): Promise<void> {
  const startedAtMs = sharedNowMs();
  await sleep(takesMs);
  runs.push({ key, tick, startedAtMs, endedAtMs: sharedNowMs() });
}

/**
 * Fired by the test itself, in an application without a scheduler. A tick waits for the run before it for as long as a busy
 * machine may need, and not only for a quarter of its second. All replicas ask at once, so that the servers are put to the test.
 */
@Injectable()
class Jobs {
  @Cron('* * * * * *')
  @WithLock(keyOf, '10s', { wait: '30s', spread: 0 })
  perTick(call: Call): Promise<void> {
    return run(call);
  }

  @Cron('* * * * * *')
  @WithLock(keyOf, '10s', { perTick: false, spread: 0 })
  perLock(call: Call): Promise<void> {
    return run(call);
  }
}

/** Fired by the scheduler, in real time. */
@Injectable()
class LongJobs {
  @Cron('* * * * * *')
  @WithLock('long', '5s')
  long(): Promise<void> {
    return run({ key: 'long', tick: Math.floor(Date.now() / 1000), takesMs: LONG_JOB_MS });
  }
}

let app: INestApplicationContext;
let logger: CollectingLogger;

async function boot({ servers, scheduled }: Extract<Command, { kind: 'boot' }>): Promise<void> {
  @Module({
    imports: [
      RedlockModule.forRoot([...servers], { nodeTimeout: '2s' }),
      ...(scheduled ? [ScheduleModule.forRoot()] : []),
    ],
    providers: [scheduled ? LongJobs : Jobs],
  })
  class ReplicaModule {}

  [runs, firings, logger] = [[], [], new CollectingLogger()];
  app = await NestFactory.createApplicationContext(ReplicaModule, { logger, abortOnError: false });
  if (logger.problems.length > 0) throw new Error(logger.problems.join('\n'));
  logger.lines.length = 0;
  // The date tells which tick a line is about.
  const { debug } = logger;
  logger.debug = (message: unknown, ...rest: unknown[]) => {
    debug(`${new Date().toISOString()} ${String(message)}`, ...rest);
  };
}

/** Settles when the call has. What became of it is in the report. */
async function fire(call: Call): Promise<void> {
  const { key, tick, dueAtMs, perTick } = call;
  const jobs = app.get(Jobs);
  await sleep(Math.max(0, dueAtMs - sharedNowMs()));
  const firedAtMs = sharedNowMs();
  // A timer that is early or late is so on the replica's clock, too; but where the machine is busy that clock stands
  // still meanwhile, because half a second later it would be another tick.
  const dateMs = dateOf(tick) + Math.min(firedAtMs - dueAtMs, LATEST_MS);
  const method = perTick ? 'perTick' : 'perLock';
  const error = await atDate(dateMs, async () => await fireNow(jobs, method, () => jobs[method](call))).then(
    () => ({}),
    (reason: unknown) => ({ error: String(reason) }),
  );
  firings.push({ key, tick, dueAtMs, firedAtMs, settledAtMs: sharedNowMs(), ...error });
}

function report(): Report {
  const isDetail = ({ level }: { level: string }): boolean => ['log', 'debug', 'verbose'].includes(level);
  const texts = (lines: CollectingLogger['lines']): string[] => lines.map(({ level, text }) => `${level}: ${text}`);
  return {
    runs,
    firings,
    logged: texts(logger.lines.filter((line) => !isDetail(line))),
    details: texts(logger.lines.filter(isDetail)),
  };
}

answerQuestions(async (command: Command): Promise<Report | undefined> => {
  switch (command.kind) {
    case 'boot':
      await boot(command);
      return undefined;
    case 'fire':
      await fire(command.call);
      return undefined;
    case 'report':
      return report();
    case 'close':
      await app.close();
      return undefined;
    default:
      return command satisfies never;
  }
});
