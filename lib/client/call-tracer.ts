import type { LockEvent, SkipReason, TickEvent } from './events.js';

/** One call, as a tracer names it. */
export interface TracedCall extends LockEvent, TickEvent {
  /** The name of the `RedlockModule`, where it has one. */
  readonly instance?: string;
}

/**
 * Runs the parts of a call within something of its own, a span for example: what runs in them has it in its async context. An event
 * cannot do that, because it is over when the part begins. Each method settles as the part does that it is given.
 */
export interface CallTracer {
  /**
   * The waiting for a lock.
   *
   * @param skipReasonOf says of an error whether the call skips its work because of it
   */
  acquire<L extends { readonly fencingToken: number }>(
    call: TracedCall,
    wait: () => Promise<L>,
    skipReasonOf: (error: unknown) => SkipReason | undefined,
  ): Promise<L>;
  /** The work under a lock, up to the end of its release. */
  hold<T>(call: TracedCall & { readonly fencingToken: number }, work: () => Promise<T>): Promise<T>;
}
