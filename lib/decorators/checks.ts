import { InvalidOptionsError } from '../core/errors/index.js';
import { checkDecoratorOptions, checkMinHold } from '../client/options/acquire-options.js';
import { reworded, toKeys, toMs, toTtlMs } from '../client/options/check.js';
import type { Settings } from '../client/options/module-options.js';
import { CANNOT_LOCK, KEY_FUNCTION } from '../redlock.messages.js';
import type { WithLockOptions } from '../interfaces/index.js';
import type { LockedMethod } from './locked-method.js';
import type { Trigger } from './trigger.js';

/** The module's own factor is not known when a class is defined: {@link checkTerms} checks with it. */
const NO_DRIFT = 0;

/**
 * What can be checked of a `@WithLock` when the class is defined.
 *
 * @throws InvalidOptionsError that names the method
 */
export function checkLockedMethod({ label, key, ttl, options }: LockedMethod): void {
  reworded(
    () => {
      if (typeof key !== 'function') toKeys(key);
      checkDecoratorOptions(options, ttl === undefined ? undefined : toTtlMs(ttl, NO_DRIFT));
    },
    (option, problem) => new InvalidOptionsError(option, CANNOT_LOCK(label, problem)),
  );
}

/**
 * What depends on the options of the module: its ttl, where the method gives none, and its allowance for drifting clocks.
 *
 * @throws InvalidOptionsError that names the method
 */
export function checkTerms(
  { label, ttl, options }: LockedMethod,
  { ttlMs, driftFactor }: Pick<Settings, 'ttlMs' | 'driftFactor'>,
): void {
  reworded(
    () => {
      checkMinHold({ minHoldMs: toMs('minHold', options.minHold ?? 0) }, toTtlMs(ttl ?? ttlMs, driftFactor));
    },
    (option, problem) => new InvalidOptionsError(option, CANNOT_LOCK(label, problem)),
  );
}

/** What is about ticks needs ticks, and what is about a schedule needs a schedule. */
export function checkTrigger({ label, options }: LockedMethod, trigger: Trigger | undefined): void {
  const { perTick, catchUp, onCrash, spread, jitter } = options;
  const refuse = (option: string, takes: string): InvalidOptionsError =>
    new InvalidOptionsError(option, CANNOT_LOCK(label, `it takes a method with ${takes}.`));
  checkTick(label, options, trigger);
  if (trigger?.kind !== 'cron' && perTick === true) throw refuse('perTick', '@Cron');
  if (trigger?.kind !== 'cron' || perTick === false) {
    if (catchUp !== undefined) throw refuse('catchUp', '@Cron and perTick');
    if (onCrash !== undefined) throw refuse('onCrash', '@Cron and perTick');
  }
  if (trigger === undefined) {
    if (spread !== undefined) throw refuse('spread', '@Cron, @Interval or @Timeout');
    if (jitter !== undefined) throw refuse('jitter', '@Cron, @Interval or @Timeout');
  }
}

/** A claim that is there for good would deny every firing but the first. */
function checkTick(label: string, { tick, perTick }: WithLockOptions, trigger: Trigger | undefined): void {
  if (tick === undefined) return;
  const refuse = (problem: string): InvalidOptionsError => new InvalidOptionsError('tick', CANNOT_LOCK(label, problem));
  if (trigger?.kind === 'cron' && perTick !== false) throw refuse('with @Cron, perTick works it out.');
  const repeats = trigger?.kind === 'cron' || trigger?.kind === 'interval';
  if (repeats && !(typeof tick === 'object' && 'everyMs' in tick))
    throw refuse('a schedule that repeats would run it once for this instant. It takes { everyMs }.');
}

const OF_A_SCHEDULE = ['perTick', 'catchUp', 'onCrash', 'spread', 'jitter'] as const;

/** Of several `@WithLock` on a method the run is that of the outermost. */
export function checkInner({ label, options }: LockedMethod): void {
  const option = OF_A_SCHEDULE.find((name) => options[name] !== undefined);
  if (option === undefined) return;
  throw new InvalidOptionsError(option, CANNOT_LOCK(label, 'it counts on the outermost @WithLock of the method only.'));
}

/** The key of one call. */
export function keyOf({ label, key }: LockedMethod, host: object, args: readonly unknown[]): string | string[] {
  if (typeof key !== 'function') return key;
  const made: unknown = key.apply(host, [...args]);
  // A promise is no key. It is refused below, so its own end is of no interest.
  if (made instanceof Promise) made.catch(() => undefined);
  reworded(
    () => toKeys(made),
    (option, problem) => new InvalidOptionsError(option, KEY_FUNCTION(label, problem)),
  );
  return made as string | string[];
}
