import 'reflect-metadata';
import { setTimeout as sleep } from 'node:timers/promises';
import { Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { LockContendedError, QuorumUnreachableError, RedlockModule, RedlockService, type Lock } from 'redlock-nestjs';
import { answerQuestions } from '../../support/process.answers.js';
import { sharedNowMs } from '../replicas/replica.interface.js';
import type { Grant, Command } from './holder.interface.js';

const KEY = 'one for all';
const SHORTEST_TTL_MS = 100;
const LONGEST_TTL_MS = 200;

/** How many of the grants find their holder standing still: past its ttl, or in the middle of asking. */
const PAUSES = 0.1;
const STALLS = 0.005;
const EXTENSIONS = 0.05;

let app: INestApplicationContext;

async function boot(servers: readonly string[]): Promise<void> {
  @Module({
    imports: [
      RedlockModule.forRoot([...servers], {
        retryDelay: 50,
        maxRetryDelay: 500,
        reconnectDelay: 30,
        maxReconnectDelay: 60,
      }),
    ],
  })
  class HolderModule {}
  app = await NestFactory.createApplicationContext(HolderModule, { logger: false, abortOnError: false });
}

/** Takes the lock, again and again, until it was granted so many times. */
async function take(count: number): Promise<Grant[]> {
  const grants: Grant[] = [];
  while (grants.length < count) {
    const ttlMs = between(SHORTEST_TTL_MS, LONGEST_TTL_MS);
    const stall = chance(STALLS) ? setTimeout(standStill, between(0, 5), ttlMs) : undefined;
    const askedAtMs = sharedNowMs();
    const lock = await attempt(ttlMs);
    const knownAtMs = sharedNowMs();
    if (lock === undefined) {
      await sleep(between(0, 200));
    } else {
      const inTime = lock.isHeld();
      if (chance(PAUSES)) standStill(ttlMs * between(1, 1.5));
      else if (chance(EXTENSIONS)) await lock.extend().catch(() => undefined);
      grants.push({ fence: lock.fencingToken, askedAtMs, knownAtMs, inTime, overAtMs: sharedNowMs() });
      await lock.release().catch(unlessUnreachable);
    }
    clearTimeout(stall);
  }
  return grants;
}

/** Half of the attempts do not wait. So many of them fail, but what they get was granted a moment ago. */
async function attempt(ttlMs: number): Promise<Lock | undefined> {
  try {
    return await app.get(RedlockService).acquire(KEY, ttlMs, { wait: chance(0.5) ? 0 : 500 });
  } catch (error) {
    if (error instanceof LockContendedError) return undefined;
    return unlessUnreachable(error);
  }
}

/** While most servers are being restarted, nothing can be had or given back. */
function unlessUnreachable(error: unknown): undefined {
  if (!(error instanceof QuorumUnreachableError)) throw error;
}

/** No timer fires and no answer is read meanwhile, as with a process that is swapped out or collects its garbage. */
function standStill(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

function chance(share: number): boolean {
  return Math.random() < share;
}

function between(least: number, most: number): number {
  return least + Math.random() * (most - least);
}

answerQuestions(async (command: Command): Promise<Grant[] | undefined> => {
  switch (command.kind) {
    case 'boot':
      await boot(command.servers);
      return undefined;
    case 'take':
      return await take(command.grants);
    case 'close':
      await app.close();
      return undefined;
    default:
      return command satisfies never;
  }
});
