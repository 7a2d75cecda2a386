import { AsyncLocalStorage } from 'node:async_hooks';
import type { CronTimeLike } from '../cron/cron-time.js';
import type { Tick } from '../cron/tick.js';
import type { Lock, RunTrigger } from '../interfaces/index.js';
import { FIRING } from '../redlock.constants.js';
import type { CronSchedule, Trigger } from './trigger.js';

/** A run that this package makes itself, and no timer of the scheduler. */
export interface AskedFiring {
  readonly kind: 'asked';
  /** Of which method. */
  readonly of: Trigger;
  readonly trigger: Exclude<RunTrigger, 'schedule'>;
  /** None for a run by hand. */
  readonly tick?: Tick | undefined;
  /** Called when the lock is held and the run begins. */
  readonly onBegun?: ((lock: Lock) => void) | undefined;
}

/** Why a job is called: its time has come, or this package runs it. */
export type Firing = {
  /** The wall clock, in epoch ms. */
  readonly firedAtMs: number;
  /** Whether a locked method has taken it: what that method calls in turn is called by hand. */
  isTaken: boolean;
} & (
  | {
      readonly kind: 'cron';
      /** The metadata of the method that the job calls: an object that each `@Cron` makes anew. */
      readonly schedule: CronSchedule;
      readonly cronTime: CronTimeLike;
    }
  | { readonly kind: 'interval' | 'timeout'; readonly name: string; readonly everyMs: number }
  | AskedFiring
);

/** One process may load this package twice, and both copies must see a firing. */
const shared = globalThis as { [FIRING]?: AsyncLocalStorage<Firing> };
const storage = (shared[FIRING] ??= new AsyncLocalStorage<Firing>());

export function runAsFiring<T>(firing: Firing, call: () => T): T {
  return storage.run(firing, call);
}

/**
 * The firing that this call of a method answers, if there is one. It is handed out once: the first call of the job's
 * method runs the tick, and whatever else happens in its async context is called by hand.
 */
export function takeFiring(trigger: Trigger): Firing | undefined {
  const firing = storage.getStore();
  if (firing === undefined || firing.isTaken || !isOf(firing, trigger)) return undefined;
  firing.isTaken = true;
  return firing;
}

function isOf(firing: Firing, trigger: Trigger): boolean {
  if (firing.kind === 'asked') return isSame(firing.of, trigger);
  if (firing.kind === 'cron') return trigger.kind === 'cron' && firing.schedule === trigger.schedule;
  if (firing.kind !== trigger.kind) return false;
  // A job without a name of its own has a random one in the scheduler.
  return trigger.name === undefined ? firing.everyMs === trigger.everyMs : firing.name === trigger.name;
}

function isSame(one: Trigger, other: Trigger): boolean {
  if (one.kind === 'cron') return other.kind === 'cron' && one.schedule === other.schedule;
  return one.kind === other.kind && one.everyMs === other.everyMs && one.name === other.name;
}
