import 'reflect-metadata';
import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as pass } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { Cron } from '@nestjs/schedule';
import { currentLock, WithLock, type Lock, type RedlockEvents } from 'redlock-nestjs';
import type { AttemptLog, Recorder } from './recorder.js';
import { JOBS, NODE_TIMEOUT_MS } from './replica.interface.js';

/** Timers may be a little early. */
const EARLY_MS = 20;

/** How many of the runs fail. */
const FAILURES = 0.1;

interface Fire {
  readonly log: AttemptLog;
  /** Why it was skipped. */
  reason?: string;
}

const firing = new AsyncLocalStorage<Fire>();
let recorder: Recorder | undefined;

/** A job that is skipped says why with an event, and not with an error. */
export function recordWith(own: Recorder, events: RedlockEvents): void {
  recorder = own;
  events.on('skipped', ({ reason }) => {
    const fire = firing.getStore();
    if (fire !== undefined) fire.reason = reason;
  });
}

/** The outermost decorator: writes to the history that the job was fired, by this replica's own clock, and how the call ended. */
function Fired({ key, periodMs, ttlMs }: (typeof JOBS)[number]) {
  return (_target: object, _name: string, descriptor: TypedPropertyDescriptor<() => Promise<void>>): void => {
    const method = descriptor.value!;
    const fired = async function (this: unknown): Promise<void> {
      const tick = { atMs: Math.floor((Date.now() + EARLY_MS) / periodMs) * periodMs, periodMs };
      const waitMs = Math.min(1_000, periodMs / 4);
      const about = { job: key, trigger: 'schedule' } as const;
      const log = recorder!.ask({ keys: [key], ttlMs, waitMs, nodeTimeoutMs: NODE_TIMEOUT_MS, tick, ...about });
      const fire: Fire = { log };
      try {
        await firing.run(fire, () => method.call(this));
        log.refuse(recorder!.closing ? 'SHUTDOWN' : 'LOCK_CONTENDED', fire.reason);
      } catch (error) {
        log.refuse(error);
      } finally {
        log.finish();
      }
    };
    for (const name of Reflect.getMetadataKeys(method) as unknown[]) {
      Reflect.defineMetadata(name, Reflect.getMetadata(name, method), fired);
    }
    descriptor.value = fired;
  };
}

/** Runs under the lock of the job. */
async function run(takesMs: number): Promise<void> {
  await work(currentLock()!, firing.getStore()!.log, takesMs * (0.2 + Math.random()));
}

/** Some of the runs fail. */
export async function work(lock: Lock, log: AttemptLog, takesMs: number): Promise<void> {
  log.grant(lock);
  log.begin();
  await pass(takesMs, undefined, { signal: lock.signal }).catch(() => undefined);
  const fails = Math.random() < FAILURES;
  log.end(fails);
  log.release();
  if (fails) throw new Error('out of paper');
}

@Injectable()
export class Jobs {
  @Fired(JOBS[0])
  @Cron('* * * * * *')
  @WithLock(JOBS[0].key, JOBS[0].ttlMs)
  tick(): Promise<void> {
    return run(JOBS[0].takesMs);
  }

  @Fired(JOBS[1])
  @Cron('*/2 * * * * *')
  @WithLock(JOBS[1].key, JOBS[1].ttlMs)
  longTick(): Promise<void> {
    return run(JOBS[1].takesMs);
  }
}
