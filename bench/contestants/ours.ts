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
  override async cycle(key: string): Promise<void> {
    await this.service.withLock(key, TTL_MS, nothing);
  }
}

function nothing(): Promise<void> {
  return Promise.resolve();
}
