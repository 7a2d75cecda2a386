import type { Duration, WithLockOptions } from '../interfaces/index.js';
import { WITH_LOCK_METHODS } from '../redlock.constants.js';
import type { LockKey } from './with-lock.decorator.js';

/** What a `@WithLock` says of its method. */
export interface LockedMethod {
  /** `Class.method`, for people. */
  readonly label: string;
  /** The prototype that has the method. */
  readonly prototype: object;
  /** Where the host keeps the lock service for this method, or several (see `services.ts`). */
  readonly property: symbol;
  readonly propertyKey: string | symbol;
  /** The function that stands for the method: `@Cron` above `@WithLock` leaves its metadata there. */
  readonly wrapper: object;
  readonly key: LockKey;
  /** Default: the `ttl` of the module. */
  readonly ttl: Duration | undefined;
  readonly options: WithLockOptions;
}

export function addLockedMethod(method: LockedMethod): void {
  const methods = (Reflect.getOwnMetadata(WITH_LOCK_METHODS, method.prototype) ?? []) as LockedMethod[];
  Reflect.defineMetadata(WITH_LOCK_METHODS, [...methods, method], method.prototype);
}

/**
 * All decorated methods of an instance, inherited ones included: those of the nearest class first. Of several `@WithLock` on
 * one method the inner one comes first.
 */
export function lockedMethodsOf(instance: object): LockedMethod[] {
  const methods: LockedMethod[] = [];
  for (const type of prototypesOf(instance)) {
    methods.push(...((Reflect.getOwnMetadata(WITH_LOCK_METHODS, type) ?? []) as LockedMethod[]));
  }
  return methods;
}

/** The prototypes of an instance, the nearest first. */
export function* prototypesOf(instance: object): Iterable<object> {
  let type = Object.getPrototypeOf(instance) as object | null;
  for (; type !== null; type = Object.getPrototypeOf(type) as object | null) yield type;
}

const known = new WeakMap<object, Map<string | symbol, readonly LockedMethod[]>>();

/** The `@WithLock`s that one call of a method may pass: stacked on one method, or reached through `super`. The outermost first. */
export function locksOfCall(host: object, propertyKey: string | symbol): readonly LockedMethod[] {
  const type = Object.getPrototypeOf(host) as object;
  let methods = known.get(type);
  if (methods === undefined) known.set(type, (methods = new Map<string | symbol, LockedMethod[]>()));
  let locks = methods.get(propertyKey);
  if (locks === undefined) {
    const all = lockedMethodsOf(host).filter((method) => method.propertyKey === propertyKey);
    const layers = [...new Set(all.map(({ prototype }) => prototype))];
    locks = layers.flatMap((layer) => all.filter(({ prototype }) => prototype === layer).toReversed());
    methods.set(propertyKey, locks);
  }
  return locks;
}
