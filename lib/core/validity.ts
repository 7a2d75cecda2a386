/**
 * How much of a ttl is lost to clocks that run at different rates. The fixed part is for the resolution of the servers'
 * expiry, one millisecond, and for timers here.
 *
 * Source: Redis documentation, "Distributed Locks with Redis", section "The Redlock Algorithm", step 3.
 */
export function driftMs(ttlMs: number, driftFactor: number): number {
  return ttlMs * driftFactor + 2;
}

/**
 * The instant up to which a lock may be trusted. It is counted from before the first request was sent: a server starts
 * its ttl no earlier than that, so no server forgets the lock before this instant.
 */
export function deadlineAtMs(sentAtMs: number, ttlMs: number, driftFactor: number): number {
  return sentAtMs + ttlMs - driftMs(ttlMs, driftFactor);
}
