import type { ClockReading } from './suspension.js';
import type { Turn } from './turn.js';
import type { Vote } from './vote.js';

/** A majority of the servers carries the lock. */
export class Grant {
  /** Its place in the wait queue, which a holder keeps until it has released the lock. Without a wait it has none. */
  turn: Turn | undefined;

  constructor(
    readonly token: string,
    /** Larger than that of every earlier grant of the key; 0 where the claims have no counters. */
    readonly fence: number,
    /** Both clocks when the servers were asked. */
    readonly askedAt: ClockReading,
    readonly deadlineAtMs: number,
  ) {}

  get grantedAtMs(): number {
    return this.askedAt.atMs;
  }
}

/** The decision that the lock was won. */
export class Won {
  readonly kind = 'won';

  constructor(
    readonly grant: Grant,
    readonly votes: readonly Vote[],
  ) {}
}
