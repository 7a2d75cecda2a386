import 'reflect-metadata';
import { Injectable, Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Cron, ScheduleModule } from '@nestjs/schedule';
import { isDeepStrictEqual } from 'node:util';
import { LockContendedError, RedlockEvents, RedlockModule, RedlockService, WithLock } from 'redlock-nestjs';

/** What two applications on these servers did, and what is wrong with it. */
export interface SmokeReport {
  readonly ticks: number;
  readonly counted: number;
  readonly wrong: readonly string[];
}

const TICKS = 4;
const CALLS = 40;
const TIMEOUT_MS = 120_000;

@Injectable()
class Jobs {
  @Cron('* * * * * *')
  @WithLock('smoke:job', '30s')
  async run(): Promise<void> {
    await Promise.resolve();
  }
}

@Module({})
class SmokeModule {}

/**
 * Two replicas on these servers: a job that must run once at each tick, a counter that calls of both increase under one lock, and a
 * lock that is held. Nothing keeps the process alive afterwards.
 */
export async function smoke(urls: readonly string[], keyPrefix = `smoke:${process.pid}:`): Promise<SmokeReport> {
  const imports = [ScheduleModule.forRoot(), RedlockModule.forRoot([...urls], { keyPrefix })];
  const boot = (): Promise<INestApplicationContext> =>
    NestFactory.createApplicationContext({ module: SmokeModule, imports, providers: [Jobs] }, { logger: ['error'] });
  const [one, other] = await Promise.all([boot(), boot()]);
  const wrong: string[] = [];
  try {
    const ticks = await watchTicks([one, other], wrong);
    const services = [one, other].map((app) => app.get(RedlockService));
    const counted = await count(services, wrong);
    await contend(services, wrong);
    const { quorum } = await services[0]!.health();
    if (!quorum) wrong.push('health() says that no lock could be granted');
    return { ticks, counted, wrong };
  } finally {
    await Promise.all([one.close(), other.close()]);
  }
}

/** Waits for so many ticks, each of which may run once. On a busy machine `cron` itself leaves ticks out, so they need not be in a row. */
async function watchTicks(apps: readonly INestApplicationContext[], wrong: string[]): Promise<number> {
  const runs = new Map<number, number>();
  const cancels: (() => void)[] = [];
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error(`only ${runs.size} ticks ran in ${TIMEOUT_MS / 1000} s`));
    }, TIMEOUT_MS);
    for (const app of apps) {
      const cancel = app.get(RedlockEvents).on('jobStarted', ({ tick }) => {
        const atMs = tick?.getTime() ?? NaN;
        runs.set(atMs, (runs.get(atMs) ?? 0) + 1);
        if (runs.size <= TICKS) return;
        clearTimeout(timer);
        resolve();
      });
      cancels.push(cancel);
    }
  });
  for (const cancel of cancels) cancel();
  for (const [atMs, count] of runs) if (count !== 1) wrong.push(`the tick ${atMs} ran ${count} times`);
  return runs.size;
}

/** Reads and writes a variable under a lock, with a pause between: without mutual exclusion increases are lost. */
async function count(services: readonly RedlockService[], wrong: string[]): Promise<number> {
  let counter = 0;
  const fences: number[] = [];
  const increase = async (service: RedlockService): Promise<void> => {
    await service.withLock(
      'smoke:counter',
      '30s',
      async ({ fencingToken }) => {
        const read = counter;
        fences.push(fencingToken);
        await new Promise((resolve) => setTimeout(resolve, 1));
        counter = read + 1;
      },
      { wait: '2m' },
    );
  };
  await Promise.all(Array.from({ length: CALLS }, (_, index) => increase(services[index % services.length]!)));
  if (counter !== CALLS) wrong.push(`${CALLS} increases under a lock made ${counter}`);
  const sorted = [...fences].sort((a, b) => a - b);
  if (!isDeepStrictEqual(fences, sorted) || new Set(fences).size < CALLS) wrong.push('fencing tokens did not grow');
  return counter;
}

/** The error of a held key, by its class and by its code, also in a bundle with other names. */
async function contend([one, other]: readonly RedlockService[], wrong: string[]): Promise<void> {
  const lock = await one!.acquire('smoke:held', '30s');
  const error: unknown = await other!.acquire('smoke:held', '30s', { wait: 0 }).catch((caught: unknown) => caught);
  if (!(error instanceof LockContendedError)) wrong.push(`a held key gave ${String(error)}`);
  const { code } = error as { code?: string };
  if (code !== 'LOCK_CONTENDED') wrong.push(`its code is ${code}`);
  await lock.release();
  const next = await other!.tryAcquire('smoke:held', '30s');
  if (next === null) wrong.push('a released key could not be acquired');
  await next?.release();
}
