import { LockReleasedError } from '../core/errors/lock-released.error.js';
import type { Lock } from '../interfaces/index.js';

/**
 * The lock of the work around, for work that asked to run under it. That lock is given back when all of this work has ended, so what
 * is released here is only the use of it.
 */
export class BorrowedLock implements Lock {
  readonly #lock: Lock;
  #isReleased = false;

  constructor(lock: Lock) {
    this.#lock = lock;
  }

  get keys(): readonly string[] {
    return this.#lock.keys;
  }

  get token(): string {
    return this.#lock.token;
  }

  get fencingToken(): number {
    return this.#lock.fencingToken;
  }

  get signal(): AbortSignal {
    return this.#lock.signal;
  }

  get remaining(): number {
    return this.#isReleased ? 0 : this.#lock.remaining;
  }

  get tick(): Date | undefined {
    return this.#lock.tick;
  }

  get late(): boolean | undefined {
    return this.#lock.late;
  }

  isHeld(): boolean {
    return !this.#isReleased && this.#lock.isHeld();
  }

  assertHeld(): void {
    if (this.#isReleased) throw new LockReleasedError(this.keys, 'hold');
    this.#lock.assertHeld();
  }

  async extend(ttl?: number | string): Promise<void> {
    if (this.#isReleased) throw new LockReleasedError(this.keys, 'extend');
    await this.#lock.extend(ttl);
  }

  release(): Promise<void> {
    if (this.#isReleased) return Promise.reject(new LockReleasedError(this.keys, 'release'));
    this.#isReleased = true;
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#isReleased = true;
    return Promise.resolve();
  }
}
