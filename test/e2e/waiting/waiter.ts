import 'reflect-metadata';
import { setTimeout as pass } from 'node:timers/promises';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { RedlockModule, RedlockService } from '../../../lib/index.js';
import { answerQuestions } from '../../support/process.answers.js';
import type { Spell, WaiterQuestion } from './waiter.interface.js';

/** The machine's own monotonic time, the same in all of its processes. */
const nowMs = (): number => Number(process.hrtime.bigint()) / 1e6;

let boot: Promise<RedlockService> | undefined;

answerQuestions(async (question: WaiterQuestion): Promise<Spell[]> => {
  boot ??= start(question.urls);
  const service = await boot;
  if (question.kind === 'boot') {
    await service.withLock(`warm-up:${process.pid}`, '1s', () => Promise.resolve());
    return [];
  }
  const { waiters, rounds, holdMs } = question;
  const spells: Spell[] = [];
  await Promise.all(
    Array.from({ length: waiters }, async () => {
      for (let round = 0; round < rounds; round++) {
        const askedAtMs = nowMs();
        const lock = await service.acquire('shared', '10s', { wait: '60s' });
        const grantedAtMs = nowMs();
        if (holdMs > 0) await pass(holdMs);
        const releasedAtMs = nowMs();
        await lock.release();
        spells.push({ pid: process.pid, askedAtMs, grantedAtMs, releasedAtMs });
      }
    }),
  );
  return spells;
});

async function start(urls: string[]): Promise<RedlockService> {
  @Module({ imports: [RedlockModule.forRoot(urls)] })
  class AppModule {}
  return (await NestFactory.createApplicationContext(AppModule, { logger: ['error', 'warn'] })).get(RedlockService);
}
