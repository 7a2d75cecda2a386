import type { Entropy } from './ports/entropy.js';

/**
 * Exponential back-off with full jitter: anything between nothing and the current ceiling, so that those who failed
 * together do not come back together. `attempt` counts from 0.
 *
 * Source: "Exponential Backoff and Jitter", AWS Architecture Blog, 2015.
 */
export function backoffMs(attempt: number, baseMs: number, maxMs: number, entropy: Entropy): number {
  return entropy.random() * Math.min(maxMs, baseMs * 2 ** Math.min(attempt, 30));
}
