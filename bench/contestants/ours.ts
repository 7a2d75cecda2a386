import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { RedlockModule, RedlockService } from 'redlock-nestjs';
import { TTL_MS, WAITED_TTL_MS, type Contestant, type Kept } from './contestant.js';

/** This package in a Nest application, with its default options: fencing tokens, restart guard, validity, signals. */
export async function open(urls: readonly string[]): Promise<Contestant> {
  return new Ours(await boot(urls));
}

/** The same, with `withLock` in the place of `acquire` and `release`. */
export async function openWithLock(urls: readonly string[]): Promise<Contestant> {
  return new OursWithLock(await boot(urls));
}

async function boot(urls: readonly string[]): Promise<RedlockService> {
  @Module({ imports: [RedlockModule.forRoot([...urls])] })
  class AppModule {}
  const app = await NestFactory.createApplicationContext(AppModule, { logger: ['error', 'warn'] });
  return app.get(RedlockService);
}

class Ours implements Contestant {
  constructor(protected readonly service: RedlockService) {}

  async cycle(key: string): Promise<void> {
    const lock = await this.service.acquire(key, TTL_MS);
    await lock.release();
  }

  async tryOnce(key: string): Promise<boolean> {
    return (await this.service.tryAcquire(key, TTL_MS)) !== null;
  }

  async take(key: string, waitMs: number): Promise<(() => Promise<unknown>) | undefined> {
    const lock = await this.service.tryAcquire(key, WAITED_TTL_MS, { wait: Math.round(waitMs) });
    return lock === null ? undefined : () => lock.release();
  }

  async keep(key: string, ttlMs: number): Promise<Kept> {
    const lock = await this.service.acquire(key, ttlMs, { autoExtend: true });
    return { isHeld: () => lock.isHeld(), stop: () => lock.release() };
  }
}

class OursWithLock extends Ours {
  #tickMs = 0;

  override async cycle(key: string): Promise<void> {
    await this.service.withLock(key, TTL_MS, nothing);
  }

  /** As `@WithLock` does for a `@Cron` without options of its own. No two runs share an instant, so that each has a tick of its own. */
  async tick(job: string): Promise<void> {
    this.#tickMs = Math.max(this.#tickMs + 1, Date.now());
    const options = { tick: { atMs: this.#tickMs, periodMs: 1000 }, onContended: 'skip' } as const;
    const ran = await this.service.withLock(job, TTL_MS, () => Promise.resolve(true), options);
    if (ran !== true) throw new Error(`A tick of ${job} was not run.`);
  }
}

function nothing(): Promise<void> {
  return Promise.resolve();
}
