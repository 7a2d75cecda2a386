import { deadlineAtMs } from './validity.js';

/** An extension that was sent, and until when the lock may be trusted if a majority of the servers confirms it. */
export interface SentExtension {
  readonly deadlineAtMs: number;
}

/** Until when a lock may be trusted. All in milliseconds of the monotonic clock. */
export class Deadline {
  #atMs: number;

  /**
   * The extensions from the newest that has succeeded on, in the order in which they were sent. An extension without a majority
   * may still have been carried out on some servers, so a shorter one binds us.
   */
  #sent: SentExtension[] = [];

  constructor(
    grantedUntilMs: number,
    /** However often it is extended (`maxHold`). */
    private readonly latestAtMs: number,
    private readonly driftFactor: number,
  ) {
    this.#atMs = Math.min(grantedUntilMs, latestAtMs);
  }

  get atMs(): number {
    return this.#atMs;
  }

  /** An extension leaves now. A shorter ttl than what is left binds at once. */
  onSent(nowMs: number, ttlMs: number): SentExtension {
    const sent = { deadlineAtMs: deadlineAtMs(nowMs, ttlMs, this.driftFactor) };
    this.#sent.push(sent);
    this.shorten(sent.deadlineAtMs);
    return sent;
  }

  /** A majority has confirmed this extension. Returns false where a newer one was confirmed before: then nothing changes. */
  onConfirmed(sent: SentExtension): boolean {
    const index = this.#sent.indexOf(sent);
    if (index < 0) return false;
    this.#sent = this.#sent.slice(index);
    this.#atMs = Math.min(this.latestAtMs, ...this.#sent.map((each) => each.deadlineAtMs));
    return true;
  }

  shorten(untilMs: number): void {
    this.#atMs = Math.min(this.#atMs, untilMs);
  }
}
