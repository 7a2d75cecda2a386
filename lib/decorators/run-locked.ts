import { Logger } from '@nestjs/common';
import { InvalidOptionsError } from '../core/errors/index.js';
import { given } from '../input/acquire-options.js';
import type { WithLockCallOptions } from '../interfaces/index.js';
import { CANNOT_LOCK, NOT_BEGUN, NOT_READY, SKIPPED } from '../redlock.messages.js';
import type { RedlockService } from '../redlock.service.js';
import type { LockedMethod } from './locked-method.js';
import { serviceOf } from './services.js';
import { triggerOf, type Trigger } from './trigger.js';

/** One call of a decorated method. */
export interface Call {
  readonly firedAtMs: number;
  readonly host: object;
  readonly args: readonly unknown[];
  readonly work: () => Promise<unknown>;
}

/**
 * A tick whose key is still locked waits this long, but no longer than a quarter of the period: replicas fire a few
 * milliseconds apart, and a run that is just ending covers no tick. Nor does one that comes to nothing, because its replica
 * does not reach enough servers in time.
 */
const TICK_GRACE_MS = 1000;

/**
 * An interval's run keeps others out for a little less than the interval, so that its own replica, whose timer may be a
 * little early compared with the last answer of the servers, finds the lock free again.
 */
const INTERVAL_SLACK_MS = 50;

const logger = new Logger('Redlock');

export async function runLocked(method: LockedMethod, call: Call): Promise<unknown> {
  const { label, property } = method;
  const service = serviceOf(call.host, property);
  if (service === undefined) throw new Error(NOT_READY(label));
  const trigger = triggerOf(call.host, method);
  if (trigger === undefined) return await lockAndWork(service, undefined, method, call);
  const isClosing = (): boolean => service.closing.aborted;
  // Other replicas, or this one after its restart, run what the schedule asks for from now on.
  if (isClosing()) {
    logger.debug(SKIPPED(NOT_BEGUN(label)));
    return undefined;
  }
  const run = { begun: false };
  const work = async (): Promise<unknown> => {
    run.begun = true;
    return await call.work();
  };
  try {
    const result = await lockAndWork(service, trigger, method, { ...call, work });
    if (run.begun || !isClosing()) return result;
  } catch (error) {
    if (run.begun || error !== service.closing.reason) throw error;
  }
  // The application has closed before the run began. Another one that has the same host may live on.
  return await runLocked(method, call);
}

async function lockAndWork(
  service: RedlockService,
  trigger: Trigger | undefined,
  { label, key: givenKey, ttl, options }: LockedMethod,
  { host, args, firedAtMs, work }: Call,
): Promise<unknown> {
  const key = typeof givenKey === 'function' ? givenKey.apply(host, [...args]) : givenKey;
  const {
    instance,
    perTick = trigger?.kind === 'cron',
    onContended = trigger ? 'skip' : 'wait',
    ...rest
  } = given(options);
  if (perTick && trigger?.kind !== 'cron') {
    throw new InvalidOptionsError('perTick', CANNOT_LOCK(label, 'it takes a method with @Cron.'));
  }
  const { wait = 0, ...timing } = await timingOf(trigger, perTick, firedAtMs);
  const signals = [rest.signal, trigger && service.closing].filter((signal) => signal !== undefined);
  return await service.withLock(key, ttl, work, {
    ...timing,
    ...(onContended !== 'wait' && { wait }),
    ...rest,
    ...(signals.length > 0 && { signal: signals.length > 1 ? AbortSignal.any(signals) : signals[0] }),
    onContended: onContended === 'skip' ? 'skip' : 'throw',
  });
}

async function timingOf(
  trigger: Trigger | undefined,
  perTick: boolean,
  firedAtMs: number,
): Promise<Pick<WithLockCallOptions, 'tick' | 'minHold' | 'wait'>> {
  switch (trigger?.kind) {
    case 'cron': {
      if (!perTick) return {};
      const tick = await trigger.tickOf(firedAtMs);
      return { tick, wait: Math.min(TICK_GRACE_MS, tick.periodMs / 4) };
    }
    case 'interval':
      return { minHold: Math.max(0, trigger.everyMs - Math.min(INTERVAL_SLACK_MS, trigger.everyMs / 10)) };
    case undefined:
      return {};
    default:
      return trigger satisfies never;
  }
}
