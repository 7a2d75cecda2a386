import type { LockHandle } from './lock.js';
import type { Cancel, Clock } from './ports/clock.js';
import type { StringMap } from './string-map.js';

/** So long after a suspended machine goes on its locks have been asked for at the latest. */
const LOOK_EVERY_MS = 1000;

/**
 * Looks, while locks are held, whether the machine was suspended (P19): work that asks for nothing still hears by the signal that its
 * lock is gone. It keeps no process alive, and it ends soon after the last lock.
 */
export class Look {
  #cancel: Cancel | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly locks: Pick<StringMap<LockHandle>, 'values'>,
  ) {}

  /** To be called when a lock was added. */
  begin(): void {
    this.#cancel ??= this.clock.after(LOOK_EVERY_MS, this.#look, 'background');
  }

  /** There will be no more locks. */
  end(): void {
    this.#cancel?.();
  }

  readonly #look = (): void => {
    this.#cancel = undefined;
    const locks = this.locks.values();
    for (const lock of locks) lock.look();
    if (locks.length > 0) this.begin();
  };
}
