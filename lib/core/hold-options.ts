import type { LockLostError } from './errors/lock-lost.error.js';

/** How a lock is kept, beyond what it takes to get it. All in milliseconds. */
export interface HoldOptions {
  /** Extend it automatically while it is held. */
  readonly autoExtend: boolean;
  /** Others are kept out for at least this long after the grant, even when the lock is released earlier. */
  readonly minHoldMs: number;
  /** So long after it was handed out the lock is over, however often it was extended. */
  readonly maxHoldMs: number;
  /** Checks a ttl that a caller asks for, and gives it in milliseconds. */
  toTtlMs(ttl: number | string): number;
  /** Called once, when the lock is not held any more. */
  onEnd?(): void;
  /** Called after each extension that a majority has confirmed. */
  onExtended?(): void;
  /** Called once, when the servers have taken the lock back. */
  onReleased?(): void;
  /** Called once, with the reason, when the lock is lost. */
  onLost?(error: LockLostError): void;
}
