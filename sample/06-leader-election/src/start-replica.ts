import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { REDLOCK_SERVERS, RedlockMemory } from 'redlock-nestjs/testing';
import { AppModule } from './app.module.js';

const memory = new RedlockMemory();

/**
 * For this sample only: so that it runs without Redis, the locks are in the memory of this process, where all replicas in it
 * share them. With REDLOCK_SERVERS in the environment they are on these servers, as in production.
 */
export async function startReplica(): Promise<INestApplicationContext> {
  if (process.env.REDLOCK_SERVERS) return await NestFactory.createApplicationContext(AppModule);
  const testing = Test.createTestingModule({ imports: [AppModule] })
    .overrideProvider(REDLOCK_SERVERS)
    .useValue(memory);
  return await (await testing.compile()).init();
}
