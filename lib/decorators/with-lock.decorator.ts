import { Inject } from '@nestjs/common';
import { InvalidOptionsError } from '../core/errors/index.js';
import { checkDecoratorOptions } from '../input/acquire-options.js';
import { toKeys, toTtlMs } from '../input/check.js';
import type { Duration, WithLockOptions } from '../interfaces/index.js';
import { getRedlockToken } from '../redlock.constants.js';
import { NOT_READY } from '../redlock.messages.js';
import { addLockedMethod, type LockedMethod } from './locked-method.js';
import { runLocked } from './run-locked.js';

/** A key, several keys, or a function of the host and the arguments that gives them. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the host and the arguments are those of the method
export type LockKey = string | string[] | ((this: any, ...args: any[]) => string | string[]);

/** A method that returns anything but a promise does not compile: its lock would be released before its work is done. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- any arguments, any result
export type AsyncMethod = (...args: any[]) => Promise<any>;

/** Drift is checked with the module's own factor when the method runs; here with none, for a clear error early. */
const NO_DRIFT = 0;

/**
 * Runs the method under a lock, on one replica at a time. Above or below `@Cron`, `@Get`, `@OnEvent` and the like.
 *
 * - With `@Cron` each tick runs on exactly one replica, and the others skip it (see `perTick`). A job that outlives the
 *   period makes the following ticks skip.
 * - With `@Interval` and `@Timeout` the run keeps the lock for the interval, so that all replicas together run once.
 * - On any other method the call waits for the lock, up to `wait`.
 *
 * The lock is extended for as long as the method runs; `currentLock()` gives it, with its `signal`. The method's result
 * and error are passed on unchanged; when the method ended well but its lock had been lost, the call rejects with
 * `LockLostError`.
 *
 * It never runs unlocked: a host without lock service makes the boot fail, and a call before the boot rejects.
 *
 * @param key what is locked; a function gets the arguments of the call, and the host as `this`
 * @param ttl after this time the lock is free by itself when its holder dies
 * @throws InvalidOptionsError when the class is defined, for input that is wrong whatever the call
 * @publicApi
 */
export function WithLock(
  key: LockKey,
  ttl: Duration,
  options: WithLockOptions = {},
): <T extends AsyncMethod>(
  target: object,
  propertyKey: string | symbol,
  descriptor: TypedPropertyDescriptor<T>,
) => TypedPropertyDescriptor<T> {
  if (typeof key !== 'function') toKeys(key);
  toTtlMs(ttl, NO_DRIFT);
  checkDecoratorOptions(options);

  return <T extends AsyncMethod>(
    target: object,
    propertyKey: string | symbol,
    descriptor: TypedPropertyDescriptor<T> | undefined,
  ) => {
    const original = descriptor?.value;
    const label = labelOf(target, propertyKey);
    if (descriptor === undefined || typeof original !== 'function') {
      throw new InvalidOptionsError('@WithLock', `takes a method, ${label} is none`);
    }
    if (typeof target === 'function') {
      throw new InvalidOptionsError('@WithLock', `takes a method of an instance, ${label} is static`);
    }

    // A property of its own for each method, so that Nest's error names the method where the service is missing.
    const property = Symbol(`@WithLock on ${label}`);
    Inject(getRedlockToken(options.instance))(target, property);
    const wrapper = async function (this: object | undefined, ...args: unknown[]): Promise<unknown> {
      const firedAtMs = Date.now();
      if (this === undefined) throw new Error(NOT_READY(label));
      return await runLocked(method, {
        firedAtMs,
        host: this,
        args,
        work: () => original.apply(this, args) as Promise<unknown>,
      });
    };
    const method: LockedMethod = { label, property, propertyKey, wrapper, key, ttl, options };
    addLockedMethod(target, method);
    imitate(wrapper, original);
    descriptor.value = wrapper as unknown as T;
    return descriptor;
  };
}

/**
 * Makes the wrapper look like the method: name, length, properties and all metadata. A wrapper without the metadata above
 * `@Cron` or `@Get` would hide the method from Nest: never scheduled, never routed, and no error.
 */
function imitate(wrapper: object, original: object): void {
  for (const property of Reflect.ownKeys(original)) {
    const descriptor = Object.getOwnPropertyDescriptor(original, property);
    if (property !== 'prototype' && descriptor) Object.defineProperty(wrapper, property, descriptor);
  }
  for (const key of Reflect.getMetadataKeys(original) as unknown[]) {
    Reflect.defineMetadata(key, Reflect.getMetadata(key, original), wrapper);
  }
}

function labelOf(target: object, propertyKey: string | symbol): string {
  const { name } = typeof target === 'function' ? target : target.constructor;
  return `${name}.${String(propertyKey)}`;
}
