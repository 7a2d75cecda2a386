import type { Courier } from './courier.js';
import type { FencingStart } from './fencing-number.js';
import type { Clock } from './ports/clock.js';
import type { Entropy } from './ports/entropy.js';
import type { WaitingRoom } from './waiting-room.js';

/** Everything that the verbs work with: the servers of one quorum group, time, chance and the rules. */
export interface Quorum {
  readonly couriers: readonly Courier[];
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly rules: Rules;
  readonly room: WaitingRoom;
  /** Where counters begin; of this process, because all its keys may profit from what one has seen. */
  readonly fencingStart: Pick<FencingStart, 'next' | 'note'>;
}

/** All times in milliseconds. What they mean and their defaults: see the public options. */
export interface Rules {
  readonly owner: string;
  readonly driftFactor: number;
  readonly nodeTimeoutMs: number;
  readonly retryDelayMs: number;
  readonly maxRetryDelayMs: number;
}

/**
 * How long one server may take. A quarter of the ttl at most: a lock of which the asking ate more than that is not worth
 * having, and an extension must have time for a second try.
 */
export function nodeTimeoutMs(rules: Rules, ttlMs: number): number {
  return Math.min(rules.nodeTimeoutMs, ttlMs / 4);
}
