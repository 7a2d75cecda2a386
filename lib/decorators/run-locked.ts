import { Logger } from '@nestjs/common';
import { ticksOf } from '../cron/tick.js';
import { calledBy, given } from '../client/options/acquire-options.js';
import { DEFAULT_TTL } from '../client/options/module-options.js';
import type { Lock, WithLockCallOptions } from '../interfaces/index.js';
import { DETACHED, NOT_BEGUN, NOT_READY, SKIPPED } from '../redlock.messages.js';
import type { RedlockService } from '../redlock.service.js';
import { anySignal } from './any-signal.js';
import { takeFiring, type Firing } from './firing.js';
import { checkTrigger, keyOf } from './checks.js';
import { claimJobName } from './job-names.js';
import { locksOfCall, type LockedMethod } from './locked-method.js';
import { asRun, runsAround } from './nested-calls.js';
import { serviceOf } from './services.js';
import { triggerOf } from './trigger.js';

/** One call of a decorated method. */
export interface Call {
  readonly host: object;
  readonly args: readonly unknown[];
  readonly work: () => Promise<unknown>;
}

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

const logger = new Logger('Redlock');

export async function runLocked(method: LockedMethod, call: Call): Promise<unknown> {
  const { label, prototype, property, propertyKey } = method;
  const { host } = call;
  const service = serviceOf(host, property);
  if (service === undefined) {
    throw new Error(Object.prototype.isPrototypeOf.call(prototype, host) ? NOT_READY(label) : DETACHED(label));
  }
  const locks = locksOfCall(host, propertyKey);
  if (locks.length > 1) {
    const isInner = locks[0]?.wrapper !== method.wrapper && runsAround(host, propertyKey).length > 0;
    const work = (lock: Lock): Promise<unknown> => asRun({ host, propertyKey, service, lock }, call.work);
    if (isInner) return await runInner(service, method, { ...call, work });
    return await runOuter(service, method, { ...call, work });
  }
  return await runOuter(service, method, call);
}

type Work = Omit<Call, 'work'> & { readonly work: (lock: Lock) => Promise<unknown> };

async function runOuter(service: RedlockService, method: LockedMethod, call: Work): Promise<unknown> {
  const trigger = triggerOf(call.host, method);
  checkTrigger(method, trigger);
  const firing = trigger && takeFiring(trigger);
  if (firing === undefined) return await lockAndWork(service, undefined, method, call);
  return await runTick(service, firing, method, call);
}

/** A call that another `@WithLock` of the same method has let through is a part of that call: it claims no tick of its own. */
async function runInner(service: RedlockService, method: LockedMethod, call: Work): Promise<unknown> {
  const keys = [keyOf(method, call.host, call.args)].flat();
  const isCovered = runsAround(call.host, method.propertyKey).some(
    (run) => run.service === service && run.lock.isHeld() && keys.every((key) => run.lock.keys.includes(key)),
  );
  return await lockAndWork(service, undefined, method, call, { ...(isCovered && { reentrant: true }) });
}

async function runTick(service: RedlockService, firing: Firing, method: LockedMethod, call: Work): Promise<unknown> {
  // What stands in for the service in the tests of an application may have no more than `withLock`.
  const closing = (): AbortSignal | undefined => (service as Partial<RedlockService>).closing;
  const isClosing = (): boolean => closing()?.aborted ?? false;
  // Other replicas, or this one after its restart, run what the schedule asks for from now on.
  if (isClosing()) {
    logger.debug(SKIPPED(NOT_BEGUN(method.label)));
    return undefined;
  }
  const run = { begun: false };
  const work = async (lock: Lock): Promise<unknown> => {
    run.begun = true;
    return await call.work(lock);
  };
  try {
    const result = await lockAndWork(service, firing, method, { ...call, work });
    if (run.begun || !isClosing()) return result;
  } catch (error) {
    if (run.begun || error !== closing()?.reason) throw error;
  }
  // The application has closed before the run began. Another one that has the same host may live on.
  const other = serviceOf(call.host, method.property);
  return await runTick(other ?? service, firing, method, call);
}

async function lockAndWork(
  service: RedlockService,
  firing: Firing | undefined,
  method: LockedMethod,
  { host, args, work }: Work,
  more: WithLockCallOptions = {},
): Promise<unknown> {
  const key = keyOf(method, host, args);
  const { instance, job, perTick = true, onContended, ...rest } = given(method.options);
  if (firing !== undefined) claimJobName(service, method, { host }, job ?? key, firing.firedAtMs);
  const { wait = 0, ...timing } = firing === undefined ? {} : timingOf(firing, perTick);
  const whenContended = onContended ?? (firing === undefined ? 'wait' : 'skip');
  const any = anySignal([rest.signal, firing && (service as Partial<RedlockService>).closing]);
  try {
    const ttl = method.ttl ?? (service as Partial<RedlockService>).ttlMs ?? DEFAULT_TTL;
    const options: WithLockCallOptions = {
      ...timing,
      ...(timing.tick !== undefined && job !== undefined && { job }),
      ...(whenContended !== 'wait' && { wait }),
      ...rest,
      ...more,
      ...(any.signal && { signal: any.signal }),
      onContended: whenContended === 'skip' ? 'skip' : 'throw',
    };
    return await service.withLock(key, ttl, work, calledBy(method.label, options));
  } finally {
    any.dispose();
  }
}

function timingOf(firing: Firing, perTick: boolean): Pick<WithLockCallOptions, 'tick' | 'wait'> {
  switch (firing.kind) {
    case 'cron': {
      if (!perTick) return {};
      const tick = ticksOf(firing.cronTime)(firing.firedAtMs);
      return { tick, wait: Math.min(TICK_GRACE_MS, tick.periodMs / 4) };
    }
    case 'interval':
    case 'timeout': {
      const { everyMs } = firing;
      const holdMs = everyMs - Math.min(INTERVAL_SLACK_MS, everyMs / 10);
      return holdMs < 1 ? {} : { tick: { everyMs: holdMs }, wait: Math.min(TICK_GRACE_MS, everyMs / 4) };
    }
    default:
      return firing satisfies never;
  }
}
