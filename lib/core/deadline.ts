import type { Clock } from './ports/clock.js';
import { lowered, maybeSuspended, readClocks, uncountedMs, type ClockReading } from './suspension.js';
import { deadlineAtMs } from './validity.js';

/** An extension that was sent, and until when the lock may be trusted if a majority of the servers confirms it. */
export interface SentExtension {
  readonly askedAt: ClockReading;
  readonly deadlineAtMs: number;
}

/** Until when a lock may be trusted. All in milliseconds of the monotonic clock. */
export class Deadline {
  #atMs: number;
  /** When what a majority has confirmed last was asked. */
  #confirmed: ClockReading;

  /**
   * The extensions from the newest that has succeeded on, in the order in which they were sent. An extension without a majority
   * may still have been carried out on some servers, so a shorter one binds us.
   */
  #sent: SentExtension[] | undefined;

  constructor(
    private readonly clock: Pick<Clock, 'nowMs' | 'wallMs'>,
    private readonly driftFactor: number,
    granted: { readonly askedAt: ClockReading; readonly deadlineAtMs: number },
    /** However often it is extended (`maxHold`). */
    private readonly latestAtMs: number,
  ) {
    this.#atMs = Math.min(granted.deadlineAtMs, latestAtMs);
    this.#confirmed = granted.askedAt;
  }

  /** How much is left; 0 when it is over. What the machine was suspended for a moment is taken off (P19). */
  get leftMs(): number {
    return this.leftAt(readClocks(this.clock));
  }

  leftAt(now: ClockReading): number {
    return Math.max(0, this.#atMs - now.atMs - uncountedMs(this.#confirmed, now, this.driftFactor));
  }

  /** Whether the machine may have been suspended since a majority has confirmed it: then what is left is not known (P19). */
  isInDoubt(now = readClocks(this.clock)): boolean {
    this.#confirmed = lowered(this.#confirmed, now);
    return maybeSuspended(this.#confirmed, now, this.driftFactor);
  }

  /** An extension leaves now. A shorter ttl than what is left binds at once. */
  onSent(ttlMs: number): SentExtension {
    const askedAt = readClocks(this.clock);
    const sent = { askedAt, deadlineAtMs: deadlineAtMs(askedAt.atMs, ttlMs, this.driftFactor) };
    (this.#sent ??= []).push(sent);
    this.#atMs = Math.min(this.#atMs, sent.deadlineAtMs);
    return sent;
  }

  /** A majority has confirmed this extension. Returns false where a newer one was confirmed before: then nothing changes. */
  onRenewed(sent: SentExtension): boolean {
    const sentSince = this.#sent ?? [];
    const index = sentSince.indexOf(sent);
    if (index < 0) return false;
    this.#sent = sentSince.slice(index);
    this.#atMs = Math.min(this.latestAtMs, ...this.#sent.map((each) => each.deadlineAtMs));
    this.#confirmed = sent.askedAt;
    return true;
  }

  /** A majority has said that it still has the lock for so long, counted from when it was asked. */
  onConfirmed(askedAt: ClockReading, leftMs: number): void {
    this.#confirmed = askedAt;
    this.#atMs = Math.min(this.#atMs, askedAt.atMs + leftMs);
  }
}
