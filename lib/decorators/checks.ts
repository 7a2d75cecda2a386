import { InvalidOptionsError } from '../core/errors/index.js';
import { checkDecoratorOptions, checkMinHold } from '../client/options/acquire-options.js';
import { reworded, toKeys, toMs, toTtlMs } from '../client/options/check.js';
import type { Settings } from '../client/options/module-options.js';
import { CANNOT_LOCK, KEY_FUNCTION } from '../redlock.messages.js';
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
  if (trigger?.kind === 'cron' && perTick !== false && options.tick !== undefined)
    throw new InvalidOptionsError('tick', CANNOT_LOCK(label, 'with @Cron, perTick works it out.'));
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
