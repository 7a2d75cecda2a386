import { calledBy, given, type Caller } from '../client/options/acquire-options.js';
import { ticksOf, type Tick } from '../cron/tick.js';
import { DEFAULT_TTL } from '../client/options/module-options.js';
import type { Lock, WithLockCallOptions, WithLockOptions } from '../interfaces/index.js';
import type { RedlockService } from '../redlock.service.js';
import type { Firing } from './firing.js';
import type { LockedMethod } from './locked-method.js';

/**
 * A tick whose key is still locked waits this long, but no longer than a quarter of the period: replicas fire a few
 * milliseconds apart, and a run that is just ending covers no tick. Neither does a run that is undone, because its replica
 * does not reach enough servers in time.
 */
const TICK_GRACE_MS = 1000;

/**
 * An interval's run keeps others out for a little less than the interval, so that its own replica, whose timer may be a
 * little early compared with the last answer of the servers, finds it over.
 */
const INTERVAL_SLACK_MS = 50;

/** One call of a decorated method. */
export interface Call {
  readonly host: object;
  readonly args: readonly unknown[];
  readonly work: (lock: Lock) => Promise<unknown>;
}

/** What stands in for the service in the tests of an application may have no more than `withLock`. */
export function ttlOf(service: Partial<RedlockService>, { ttl }: LockedMethod): NonNullable<LockedMethod['ttl']> {
  return ttl ?? service.ttlMs ?? DEFAULT_TTL;
}

const plain = new WeakMap<LockedMethod, WithLockCallOptions>();

/** The options of a call of a method that has no schedule. They are made once, and frozen: the client checks such options once. */
export function plainOptions(method: LockedMethod): WithLockCallOptions {
  let options = plain.get(method);
  if (options === undefined) {
    options = calledBy({ method: method.label }, optionsOf(method, undefined));
    plain.set(method, Object.freeze(options));
  }
  return options;
}

/**
 * The options of a call of a method with a schedule, which the scheduler or this package has made if there is a firing.
 *
 * @param spreadMs how long this replica has waited since the firing
 */
export function jobOptions(
  method: LockedMethod,
  key: string | string[],
  firing: Firing | undefined,
  spreadMs = 0,
): WithLockCallOptions {
  const caller: Caller = {
    method: method.label,
    job: nameOfJob(method, key),
    trigger: firing === undefined ? 'manual' : firing.kind === 'asked' ? firing.trigger : 'schedule',
  };
  return calledBy(caller, optionsOf(method, firing, spreadMs));
}

/** What people call a job. Its keys are one lock in any order, so they are in that of the register. */
export function nameOfJob({ options }: Pick<LockedMethod, 'options'>, key: string | readonly string[]): string {
  return options.job ?? (typeof key === 'string' ? key : [...new Set(key)].toSorted().join(', '));
}

function optionsOf({ options }: LockedMethod, firing: Firing | undefined, spreadMs = 0): WithLockCallOptions {
  const { instance, job, perTick = true, onContended, catchUp, onCrash, spread, jitter, ...rest } = given(options);
  const { wait = 0, ...timing } = firing === undefined ? {} : timingOf(firing, perTick, spreadMs);
  const whenContended = whenContendedOf(firing, onContended);
  return {
    ...timing,
    ...(job !== undefined && { job }),
    ...(whenContended !== 'wait' && { wait }),
    ...rest,
    ...(firing?.kind === 'asked' && { wait }),
    onContended: whenContended === 'skip' ? 'skip' : 'throw',
  };
}

/** A run that this package makes is one try, whatever the method says of its other calls. */
export function whenContendedOf(
  firing: Firing | undefined,
  onContended: WithLockOptions['onContended'],
): NonNullable<WithLockOptions['onContended']> {
  if (firing?.kind !== 'asked') return onContended ?? (firing === undefined ? 'wait' : 'skip');
  return firing.trigger === 'manual' ? 'throw' : 'skip';
}

function timingOf(firing: Firing, perTick: boolean, spreadMs: number): Pick<WithLockCallOptions, 'tick' | 'wait'> {
  switch (firing.kind) {
    case 'cron': {
      if (!perTick) return {};
      const tick = tickOf(firing);
      return { tick, wait: Math.min(TICK_GRACE_MS, tick.periodMs / 4) };
    }
    case 'interval':
    case 'timeout': {
      const { everyMs } = firing;
      // Until shortly before the next firing of this timer, so it is counted from this one.
      const holdMs = everyMs - Math.min(INTERVAL_SLACK_MS, everyMs / 10) - spreadMs;
      return holdMs < 1 ? {} : { tick: { everyMs: holdMs }, wait: Math.min(TICK_GRACE_MS, everyMs / 4) };
    }
    case 'asked':
      return firing.tick === undefined ? {} : { tick: firing.tick };
    default:
      return firing satisfies never;
  }
}

/**
 * The tick of a firing that asks for it now. Where the process stood still after the firing, more than a period may be over, and the claim of
 * a replica that has run the tick may be gone: then it asks for the newest tick, as a timer does that fires so late.
 */
function tickOf({ cronTime, firedAtMs }: Extract<Firing, { kind: 'cron' }>): Tick {
  const tick = ticksOf(cronTime)(firedAtMs);
  const nowMs = Date.now();
  return nowMs < tick.atMs + tick.periodMs ? tick : ticksOf(cronTime)(nowMs);
}
