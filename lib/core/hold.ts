import { isRedlockError } from './errors/redlock.error.js';
import type { HeldLock } from './lock.js';

/**
 * Runs the work under the lock and gives the lock back. The work's own result and error win (P10): a release that fails
 * is reported, never thrown over them. Work that ended well after its lock was lost rejects with the loss, because what happened
 * beside it is not known; that can also show when the lock is given back.
 */
export async function hold<T>(
  lock: HeldLock,
  work: (lock: HeldLock) => T | PromiseLike<T>,
  onReleaseFailed: (lock: HeldLock, error: unknown) => void,
): Promise<T> {
  const giveBack = async (): Promise<void> => {
    await lock[Symbol.asyncDispose]().catch((error: unknown) => {
      if (isRedlockError(error, 'LOCK_LOST')) throw error;
      onReleaseFailed(lock, error);
    });
  };
  let result: T;
  try {
    if (!lock.isHeld()) await lock.ensureHeld();
    result = await work(lock);
    await lock.ensureNotLost();
  } catch (error) {
    await giveBack().catch(() => undefined);
    throw error;
  }
  await giveBack();
  return result;
}
