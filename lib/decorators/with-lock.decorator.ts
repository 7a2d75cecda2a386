import { Inject } from '@nestjs/common';
import { InvalidOptionsError } from '../core/errors/index.js';
import type { Duration, WithLockOptions } from '../interfaces/index.js';
import { getRedlockToken } from '../redlock.constants.js';
import { DETACHED } from '../redlock.messages.js';
import { checkLockedMethod } from './checks.js';
import { addLockedMethod, type LockedMethod } from './locked-method.js';
import { runLocked } from './run-locked.js';

/** A key, several keys, or a function of the host and the arguments that gives them. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the host and the arguments are those of the method
export type LockKey = string | string[] | ((this: any, ...args: any[]) => string | string[]);

/** A method that returns anything but a promise does not compile: its lock would be released before its work is done. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- any arguments, any result
export type AsyncMethod = (...args: any[]) => Promise<any>;

/**
 * What `@WithLock` is. It fits `MethodDecorator`, and so `applyDecorators`. Directly on a method that returns no promise it
 * does not compile.
 */
export interface LockDecorator {
  <T extends AsyncMethod>(
    target: object,
    propertyKey: string | symbol,
    descriptor: TypedPropertyDescriptor<T>,
  ): TypedPropertyDescriptor<T>;
  /**
   * Never called so. `MethodDecorator` takes any method, and a function with fewer parameters fits it; but a decorator
   * without any cannot stand on anything.
   */
  (): void;
}

/**
 * Runs the method under a lock, on one replica at a time. Above or below `@Cron`, `@Get`, `@OnEvent` and the like.
 *
 * - Called by `@Cron`, each tick runs on exactly one replica, and the others skip it (see `perTick`). A job that outlives
 *   the period makes the following ticks skip.
 * - Called by `@Interval` and `@Timeout`, all replicas together run it once per interval.
 * - Any other call waits for the lock, up to `wait`: of any other method, and of these when they are called by hand.
 *
 * The lock is extended for as long as the method runs; `currentLock()` gives it, with its `signal`. The method's result
 * and error are passed on unchanged; when the method ended well but its lock had been lost, the call rejects with
 * `LockLostError`.
 *
 * It never runs unlocked: a host without lock service makes the boot fail, and a call before the boot rejects. A method
 * that calls the one it overrides through `super` stays one call, also where both have a `@WithLock`.
 *
 * @param key what is locked; a function gets the arguments of the call, and the host as `this`
 * @param ttl after this time the lock is free by itself when its holder dies; on a scheduled method better less than the
 * period. Default: the `ttl` of the module, 10 s
 * @throws InvalidOptionsError when the class is defined, for input that is wrong whatever the call; at boot, for what does not go
 * with the options of the module; when the method is called, for a key function that gives no key
 * @publicApi
 */
export function WithLock(key: LockKey, ttl?: Duration, options: WithLockOptions = {}): LockDecorator {
  return ((target: object, propertyKey: string | symbol, descriptor?: PropertyDescriptor) => {
    const original: unknown = descriptor?.value;
    const label = labelOf(target, propertyKey);
    if (descriptor === undefined || typeof original !== 'function') {
      throw new InvalidOptionsError('@WithLock', `takes a method, ${label} is none`);
    }
    if (typeof target === 'function') {
      throw new InvalidOptionsError('@WithLock', `takes a method of an instance, ${label} is static`);
    }

    if (isGenerator(original)) {
      throw new InvalidOptionsError(
        '@WithLock',
        `takes a method that returns a promise, ${label} is a generator: it runs after its call`,
      );
    }

    // A property of its own for each method, so that Nest's error names the method where the service is missing.
    const property = Symbol(`@WithLock on ${label}`);
    const wrapper = async function (this: object | null | undefined, ...args: unknown[]): Promise<unknown> {
      if (typeof this !== 'object' || this === null) throw new Error(DETACHED(label));
      // From JavaScript a method may return no promise.
      const work = async (): Promise<unknown> => (await original.apply(this, args)) as unknown;
      return await runLocked(method, { host: this, args, work });
    };
    const method: LockedMethod = { label, prototype: target, property, propertyKey, wrapper, key, ttl, options };
    checkLockedMethod(method);
    Inject(getRedlockToken(options.instance))(target, property);
    addLockedMethod(method);
    imitate(wrapper, original);
    descriptor.value = wrapper;
    return descriptor;
  }) as LockDecorator;
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

/** Its body runs when what it returns is iterated over: by then the lock is given back. */
function isGenerator(method: unknown): boolean {
  return Object.prototype.toString.call(method).includes('Generator');
}
