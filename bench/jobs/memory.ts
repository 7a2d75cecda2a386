import 'reflect-metadata';
import { createHook } from 'node:async_hooks';
import { Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { RedlockEvents, RedlockModule, RedlockService, WithLock } from 'redlock-nestjs';
import { REDLOCK_SERVERS, RedlockMemory } from 'redlock-nestjs/testing';
import { TTL_MS } from '../contestants/contestant.js';
import { measure } from './measure.js';
import type { CountAnswer, CountQuestion, MemoryAnswer, MemoryQuestion } from './questions.js';

@Injectable()
class Host {
  @WithLock((key: string) => key, TTL_MS)
  run(_key: string): Promise<void> {
    return Promise.resolve();
  }
}

interface Booted {
  readonly service: RedlockService;
  readonly host: Host;
  readonly events: RedlockEvents;
}

const booted = new Map<number, Promise<Booted>>();

export async function memory({ servers, how, ...load }: MemoryQuestion): Promise<MemoryAnswer> {
  const { service, host, events } = await bootOnce(servers);
  const keys = Array.from({ length: load.atOnce }, (_, caller) => `bench:${caller}`);
  const cycles = {
    acquire: async (caller: number) => (await service.acquire(keys[caller]!, TTL_MS)).release(),
    withLock: (caller: number) => service.withLock(keys[caller]!, TTL_MS, () => Promise.resolve()),
    decorator: (caller: number) => host.run(keys[caller]!),
    listened: (caller: number) => service.withLock(keys[caller]!, TTL_MS, () => Promise.resolve()),
  };
  const listening = how === 'listened' ? events.observe().subscribe() : undefined;
  try {
    return await measure({ ...load, cycle: cycles[how] });
  } finally {
    listening?.unsubscribe();
  }
}

const COUNTED = 200;

/** Last in a process: what has been watched once may stay slower. */
export async function count({ servers }: CountQuestion): Promise<CountAnswer> {
  const { service } = await bootOnce(servers);
  const made = new Map<string, number>();
  const hook = createHook({
    init(_id, type) {
      made.set(type, (made.get(type) ?? 0) + 1);
    },
  });
  const cycle = async (): Promise<void> => (await service.acquire('bench:count', TTL_MS)).release();
  await cycle();
  hook.enable();
  for (let round = 0; round < COUNTED; round++) await cycle();
  hook.disable();
  // The loop and `cycle` make two promises of their own.
  return { promises: (made.get('PROMISE') ?? 0) / COUNTED - 2, timers: (made.get('Timeout') ?? 0) / COUNTED };
}

function bootOnce(servers: number): Promise<Booted> {
  const present = booted.get(servers);
  if (present !== undefined) return present;
  const made = boot(servers);
  booted.set(servers, made);
  return made;
}

async function boot(servers: number): Promise<Booted> {
  const names = Array.from({ length: servers }, (_, index) => `redis://memory-${index + 1}:6379`);
  const app = await Test.createTestingModule({ imports: [RedlockModule.forRoot(names)], providers: [Host] })
    .overrideProvider(REDLOCK_SERVERS)
    .useValue(new RedlockMemory())
    .compile();
  await app.init();
  return { service: app.get(RedlockService), host: app.get(Host), events: app.get(RedlockEvents) };
}
