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
export type Firing = Moment &
  (
    | {
        readonly kind: 'cron';
        /** The metadata of the method that the job calls: an object that each `@Cron` makes anew. */
        readonly schedule: CronSchedule;
        readonly cronTime: CronTimeLike;
      }
    | { readonly kind: 'interval' | 'timeout'; readonly name: string; readonly everyMs: number }
    | AskedFiring
  );

/** When a firing was, and what has come of it. */
interface Moment {
  /** The wall clock, in epoch ms. */
  readonly firedAtMs: number;
  /** Whether this is the async context of work that it has begun: what that calls in turn is called by hand. */
  readonly isTaken: boolean;
  /** What has taken it first. It is for no other method, but may be taken again: a decorator above may call the method once more. */
  taker: Taker | undefined;
  /** Those of its calls whose work has begun, by their keys. One more of these, as that of a retry, is called by hand. */
  readonly begun: Set<string>;
}

/** Of a firing that is just made. */
export function newMoment(): Moment {
  return { firedAtMs: Date.now(), isTaken: false, taker: undefined, begun: new Set() };
}

interface Taker {
  readonly host: object;
  readonly propertyKey: string | symbol;
}

/** One process may load this package twice, and both copies must see a firing. */
const shared = globalThis as { [FIRING]?: AsyncLocalStorage<Firing> };
const storage = (shared[FIRING] ??= new AsyncLocalStorage<Firing>());

export function runAsFiring<T>(firing: Firing, call: () => T): T {
  return storage.run(firing, call);
}

/**
 * The firing that this call of a method answers, if there is one. The first method that it is for takes it, with each of its calls
 * but those that come from its own work; whatever else happens in the async context of the firing is called by hand.
 */
export function takeFiring(trigger: Trigger, { host, propertyKey }: Taker): Firing | undefined {
  const firing = storage.getStore();
  if (firing === undefined || firing.isTaken || !isOf(firing, trigger)) return undefined;
  firing.taker ??= { host, propertyKey };
  return firing.taker.host === host && firing.taker.propertyKey === propertyKey ? firing : undefined;
}

/** Begins the work of a call that has taken the firing. */
export function beginWork<T>(firing: Firing, key: string | readonly string[], work: () => T): T {
  firing.begun.add(idOf(key));
  return storage.run({ ...firing, isTaken: true }, work);
}

/** Whether the work of such a call has begun. */
export function hasBegun({ begun }: Firing, key: string | readonly string[]): boolean {
  return begun.has(idOf(key));
}

function idOf(key: string | readonly string[]): string {
  return JSON.stringify([key].flat().toSorted());
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
