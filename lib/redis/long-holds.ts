import type { Clock } from '../core/ports/clock.js';

/** Enough for the jobs of any application; one entry takes about as much memory as its key. */
const MOST_KEYS = 1000;

/**
 * For how long this process keeps single keys closed beyond the ttl of their locks (a `minHold`). A server that has forgotten
 * such a hold is kept from voting on that key for so long, and on no other key.
 *
 * The memory is bounded. When it is full, the key that was used least recently leaves it. If its hold may still be running,
 * its length counts for all keys from then on: a server may then wait longer than it must, and never too short.
 */
export class LongHolds {
  readonly #holds = new Map<string, { readonly holdMs: number; readonly endsAtMs: number }>();
  #forAllKeysMs = 0;

  constructor(private readonly clock: Clock) {}

  /** The longest hold that had to be counted for all keys; 0 as long as there was room for each by itself. */
  get forAllKeysMs(): number {
    return this.#forAllKeysMs;
  }

  note(key: string, holdMs: number): void {
    const longestMs = Math.max(holdMs, this.of(key));
    this.#holds.delete(key);
    this.#holds.set(key, { holdMs: longestMs, endsAtMs: this.clock.nowMs() + longestMs });
    if (this.#holds.size > MOST_KEYS) this.#dropOldest();
  }

  /** The longest hold of this key, in milliseconds; 0 where none is known. */
  of(key: string): number {
    return this.#holds.get(key)?.holdMs ?? 0;
  }

  #dropOldest(): void {
    for (const [key, { holdMs, endsAtMs }] of this.#holds) {
      this.#holds.delete(key);
      if (endsAtMs > this.clock.nowMs()) this.#forAllKeysMs = Math.max(this.#forAllKeysMs, holdMs);
      return;
    }
  }
}
