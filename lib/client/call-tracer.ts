import type { LockEvent, SkipReason, TickEvent } from './events.js';

/** One call, as a tracer names it. */
export interface TracedCall extends LockEvent, TickEvent {
  /** The name of the `RedlockModule`, where it has one. */
  readonly instance?: string;
}

/** That a call did not get its lock, and why. The error is made when it is asked for. */
export interface TracedRefusal {
  readonly reason: SkipReason;
  readonly error: Error;
}

/**
 * Runs the parts of a call within something of its own, a span for example: what runs in them has it in its async context. An event
 * cannot do that, because it is over when the part begins. Each method settles as the part does that it is given.
 */
export interface CallTracer {
  /**
   * The waiting for a lock.
   *
   * @param skips whether the call skips its work where it does not get the lock
   */
  acquire<L extends { readonly fencingToken: number } | TracedRefusal>(
    call: TracedCall,
    wait: () => Promise<L>,
    skips: boolean,
  ): Promise<L>;
  /** The work under a lock, up to the end of its release. */
  hold<T>(call: TracedCall & { readonly fencingToken: number }, work: () => Promise<T>): Promise<T>;
}
