import { isRedlockError } from './errors/redlock.error.js';
import type { LockHandle } from './lock.js';

/**
 * Runs the work under the lock and gives the lock back. The work's own result and error win (P10): a release that fails
 * is reported, never thrown over them. Work that ended well after its lock was lost rejects with the loss, because what happened
 * beside it is not known; that can also show when the lock is given back.
 */
export async function runWithLock<T>(
  lock: LockHandle,
  work: (lock: LockHandle) => T | PromiseLike<T>,
  onReleaseFailed: (lock: LockHandle, error: unknown) => void,
): Promise<T> {
  let result: T;
  let endedWell = false;
  try {
    if (!lock.isHeld()) await lock.ensureHeld();
    result = await work(lock);
    endedWell = true;
    if (!lock.isHeld()) await lock.ensureNotLost();
  } catch (error) {
    if (endedWell) lock.run?.end('lost', error);
    else lock.onWorkFailed(error);
    await giveBack(lock, onReleaseFailed).catch(() => undefined);
    throw error;
  }
  lock.run?.end('succeeded');
  await giveBack(lock, onReleaseFailed);
  return result;
}

function giveBack(lock: LockHandle, onReleaseFailed: (lock: LockHandle, error: unknown) => void): Promise<void> {
  return lock[Symbol.asyncDispose]().catch((error: unknown) => {
    if (isRedlockError(error, 'LOCK_LOST')) throw error;
    onReleaseFailed(lock, error);
  });
}
