import { isRedlockError } from '../core/errors/index.js';
import type { Lock } from '../interfaces/index.js';
import type { RedlockService } from '../redlock.service.js';

/**
 * What a store answers to `acquire`.
 *
 * @publicApi
 */
export type LockAcquireResult =
  { readonly acquired: true; readonly fencingToken: number } | { readonly acquired: false };

/**
 * The store that `@nestjs/locks` asks an application to write, by the documentation of its interface `LockStore`, on the servers of a
 * `RedlockModule`. Its constructor registers nothing, so that this package does not need that one:
 *
 * ```ts
 * @Injectable()
 * export class LocksOnRedlock extends RedlockLockStore {
 *   constructor(redlock: RedlockService, storage: LocksStorage) {
 *     super(redlock);
 *     storage.registerSource(this);
 *   }
 * }
 * ```
 *
 * A lock is a record of a key, an owner (a text that is used for one acquisition) and a ttl in milliseconds. Each method rejects with
 * QuorumUnreachableError when too few servers answer: then nothing is known of the lock.
 *
 * @publicApi
 */
export class RedlockLockStore {
  readonly #redlock: Pick<RedlockService, 'acquire'>;
  /** The last lock of each key that this process has acquired, until it is lost or released. */
  readonly #locks = new Map<string, { readonly owner: string; readonly lock: Lock }>();

  constructor(redlock: Pick<RedlockService, 'acquire'>) {
    this.#redlock = redlock;
  }

  /**
   * One decision, without waiting: `@nestjs/locks` itself asks again.
   *
   * @throws QuorumUnreachableError, InvalidOptionsError
   */
  async acquire(key: string, owner: string, ttl: number): Promise<LockAcquireResult> {
    const options = { wait: 0, fencing: true, autoExtend: false } as const;
    let lock: Lock;
    try {
      lock = await this.#redlock.acquire(key, ttl, options);
    } catch (error) {
      if (isRedlockError(error, 'LOCK_CONTENDED')) return { acquired: false };
      throw error;
    }
    this.#locks.set(key, { owner, lock });
    lock.signal.addEventListener('abort', () => {
      this.#forget(key, lock);
    });
    return { acquired: true, fencingToken: lock.fencingToken };
  }

  /**
   * Begins the ttl anew.
   *
   * @returns false when the owner does not hold the key any more, or acquired it in another process
   * @throws QuorumUnreachableError: the lock is still held until its old ttl is over, and may be renewed again
   */
  async renew(key: string, owner: string, ttl: number): Promise<boolean> {
    const lock = this.#lockOf(key, owner);
    return lock !== undefined && (await unlessOver(lock.extend(ttl)));
  }

  /**
   * Frees the key. Its fencing tokens go on from where they are.
   *
   * @returns false when the owner does not hold the key any more, or acquired it in another process
   * @throws QuorumUnreachableError: other processes may have to wait until the ttl is over
   */
  async release(key: string, owner: string): Promise<boolean> {
    const lock = this.#lockOf(key, owner);
    if (lock === undefined) return false;
    this.#forget(key, lock);
    // A lock that was lost is released without an error.
    return (await unlessOver(lock.release())) && !lock.signal.aborted;
  }

  #lockOf(key: string, owner: string): Lock | undefined {
    const held = this.#locks.get(key);
    return held?.owner === owner ? held.lock : undefined;
  }

  /** Not the lock of a later owner. */
  #forget(key: string, lock: Lock): void {
    if (this.#locks.get(key)?.lock === lock) this.#locks.delete(key);
  }
}

/** False where the lock was lost or released before, or meanwhile. */
async function unlessOver(call: Promise<void>): Promise<boolean> {
  try {
    await call;
    return true;
  } catch (error) {
    if (isRedlockError(error, 'LOCK_LOST') || isRedlockError(error, 'LOCK_RELEASED')) return false;
    throw error;
  }
}
