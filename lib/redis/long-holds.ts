import type { Clock } from '../core/ports/clock.js';

/** Enough for the jobs of any application. One entry needs about as much memory as its key. */
const MOST_KEYS = 1000;

/**
 * The keys that this process keeps locked for longer than the ttl of their locks (a `minHold`), and for how long. A server that has
 * forgotten such a hold must not vote on that key for this time. It may vote on all other keys.
 *
 * The memory is bounded. When it is full, it forgets the key that was used least recently. If the hold of that key may still be
 * running, its length counts for all keys from then on: a quarantine may then be longer than necessary, and never too short.
 */
export class LongHolds {
  readonly #holds = new Map<string, { readonly holdMs: number; readonly endsAtMs: number }>();
  #forAllKeysMs = 0;

  constructor(private readonly clock: Clock) {}

  /** The longest hold that counts for all keys; 0 as long as there was room for an entry for each key. */
  get forAllKeysMs(): number {
    return this.#forAllKeysMs;
  }

  get longestMs(): number {
    let longestMs = this.#forAllKeysMs;
    for (const { holdMs } of this.#holds.values()) longestMs = Math.max(longestMs, holdMs);
    return longestMs;
  }

  note(key: string, holdMs: number): void {
    const longestMs = Math.max(holdMs, this.of(key));
    this.#holds.delete(key);
    this.#holds.set(key, { holdMs: longestMs, endsAtMs: this.clock.nowMs() + longestMs });
    if (this.#holds.size > MOST_KEYS) this.#dropOldest();
  }

  /** The longest hold of this key, in milliseconds; 0 if none is known. */
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
