import { AsyncLocalStorage } from 'node:async_hooks';
import type { Lock } from './interfaces/index.js';
import { CURRENT_LOCK } from './redlock.constants.js';

const shared = globalThis as { [CURRENT_LOCK]?: AsyncLocalStorage<Lock> };
const storage = (shared[CURRENT_LOCK] ??= new AsyncLocalStorage<Lock>());

/**
 * The lock that this async context runs under: within the work of `withLock` or a `@WithLock` method, and whatever it
 * calls. `undefined` anywhere else. `currentLock()?.assertHeld()` makes sure, deep down, that one is held.
 *
 * @publicApi
 */
export function currentLock(): Lock | undefined {
  return storage.getStore();
}

export function runUnder<T>(lock: Lock, work: () => T): T {
  return storage.run(lock, work);
}
