import type { HeldLock } from './lock.js';

/**
 * Runs the work under the lock and gives the lock back. The work's own result and error win (P10): a release that fails
 * is reported, never thrown over them. Work that ended well after its lock was lost rejects with the loss, because
 * nobody can say what happened beside it.
 */
export async function hold<T>(
  lock: HeldLock,
  work: (lock: HeldLock) => Promise<T>,
  onReleaseFailed: (lock: HeldLock, error: unknown) => void,
): Promise<T> {
  try {
    lock.assertHeld();
    const result = await work(lock).finally(() => lock.unlent());
    lock.throwIfLost();
    return result;
  } finally {
    try {
      await lock[Symbol.asyncDispose]();
    } catch (error) {
      onReleaseFailed(lock, error);
    }
  }
}
