import { AsyncLocalStorage } from 'node:async_hooks';
import type { Lock } from './interfaces/index.js';
import { CURRENT_LOCK } from './redlock.constants.js';

/** A lock that work runs under, and what the work around that runs under. */
interface Frame {
  readonly lock: Lock;
  readonly outer: Frame | undefined;
}

const shared = globalThis as { [CURRENT_LOCK]?: AsyncLocalStorage<Frame> };
const storage = (shared[CURRENT_LOCK] ??= new AsyncLocalStorage<Frame>());

/**
 * The lock that this async context runs under: within the work of `withLock` or a `@WithLock` method, and whatever it
 * calls. `undefined` anywhere else. `currentLock()?.assertHeld()` makes sure, deep down, that one is held.
 *
 * @publicApi
 */
export function currentLock(): Lock | undefined {
  return storage.getStore()?.lock;
}

/** All locks that this async context runs under, the innermost first. */
export function* locksAround(): Iterable<Lock> {
  for (let frame = storage.getStore(); frame !== undefined; frame = frame.outer) yield frame.lock;
}

export function runUnder<T>(lock: Lock, work: () => T): T {
  return storage.run({ lock, outer: storage.getStore() }, work);
}
