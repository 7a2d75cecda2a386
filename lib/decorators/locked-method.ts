import type { Duration, WithLockOptions } from '../interfaces/index.js';
import { WITH_LOCK_METHODS } from '../redlock.constants.js';
import type { LockKey } from './with-lock.decorator.js';

/** What a `@WithLock` says of its method. */
export interface LockedMethod {
  /** `Class.method`, for people. */
  readonly label: string;
  /** Where the host keeps the lock service for this method, or several (see `services.ts`). */
  readonly property: symbol;
  readonly propertyKey: string | symbol;
  /** The function that stands for the method: `@Cron` above `@WithLock` leaves its metadata there. */
  readonly wrapper: object;
  readonly key: LockKey;
  readonly ttl: Duration;
  readonly options: WithLockOptions;
}

export function addLockedMethod(prototype: object, method: LockedMethod): void {
  const methods = (Reflect.getOwnMetadata(WITH_LOCK_METHODS, prototype) ?? []) as LockedMethod[];
  Reflect.defineMetadata(WITH_LOCK_METHODS, [...methods, method], prototype);
}

/** All decorated methods of an instance, inherited ones included. */
export function lockedMethodsOf(instance: object): LockedMethod[] {
  const methods: LockedMethod[] = [];
  for (
    let type = Object.getPrototypeOf(instance) as object | null;
    type;
    type = Object.getPrototypeOf(type) as object | null
  ) {
    methods.push(...((Reflect.getOwnMetadata(WITH_LOCK_METHODS, type) ?? []) as LockedMethod[]));
  }
  return methods;
}
