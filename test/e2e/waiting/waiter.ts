import 'reflect-metadata';
import { setTimeout as pass } from 'node:timers/promises';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { RedlockModule, RedlockService } from '../../../lib/index.js';
import { answerQuestions } from '../../support/process.answers.js';
import type { Spell, WaiterQuestion } from './waiter.interface.js';

const HOLD_MS = 5;

/** The machine's own monotonic time, the same in all of its processes. */
const nowMs = (): number => Number(process.hrtime.bigint()) / 1e6;

let boot: Promise<RedlockService> | undefined;

answerQuestions(async (question: WaiterQuestion): Promise<Spell[]> => {
  boot ??= start(question.urls);
  const service = await boot;
  switch (question.kind) {
    case 'boot':
      return [await useOnce(service, `warm-up:${process.pid}`)];
    case 'work':
      return (
        await Promise.all(Array.from({ length: question.waiters }, () => useOften(service, 'shared', question.rounds)))
      ).flat();
    case 'alone':
      return await useOften(service, `alone:${process.pid}`, question.rounds);
    default:
      return question satisfies never;
  }
});

async function useOften(service: RedlockService, key: string, rounds: number): Promise<Spell[]> {
  const spells: Spell[] = [];
  for (let round = 0; round < rounds; round++) spells.push(await useOnce(service, key));
  return spells;
}

async function useOnce(service: RedlockService, key: string): Promise<Spell> {
  const askedAtMs = nowMs();
  const lock = await service.acquire(key, '10s', { wait: '60s' });
  const grantedAtMs = nowMs();
  await pass(HOLD_MS);
  const releasedAtMs = nowMs();
  await lock.release();
  return { askedAtMs, grantedAtMs, releasedAtMs };
}

async function start(urls: string[]): Promise<RedlockService> {
  @Module({ imports: [RedlockModule.forRoot(urls, { nodeTimeout: '5s' })] })
  class AppModule {}
  return (await NestFactory.createApplicationContext(AppModule, { logger: ['error', 'warn'] })).get(RedlockService);
}
