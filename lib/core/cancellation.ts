import type { Cancel } from './ports/clock.js';
import { onAbort } from './signals.js';

/**
 * Ends one acquisition before its time: because its caller's signal aborts, or because the application shuts down.
 *
 * An AbortController would do, but its signal is an event target of its own: with 100,000 calls at once these took most of the time
 * and of the memory.
 */
export class Cancellation {
  #cancelled: { readonly reason: unknown } | undefined;
  #listeners: Set<(reason: unknown) => void> | undefined;
  readonly #forget: Cancel | undefined;

  /** @param signal cancels it when it aborts, until {@link close} */
  constructor(signal?: AbortSignal) {
    this.#forget =
      signal &&
      onAbort(signal, () => {
        this.cancel(signal.reason);
      });
  }

  /** Every wait of the acquisition rejects with the reason, which need not be an Error: it belongs to the caller. Once. */
  cancel(reason: unknown): void {
    if (this.#cancelled !== undefined) return;
    this.#cancelled = { reason };
    for (const listener of this.#listeners ?? []) listener(reason);
  }

  throwIfCancelled(): void {
    if (this.#cancelled !== undefined) throw this.#cancelled.reason;
  }

  /** Calls back once when it is cancelled; where it is already, at once. */
  onCancel(listener: (reason: unknown) => void): Cancel {
    if (this.#cancelled !== undefined) {
      listener(this.#cancelled.reason);
      return () => undefined;
    }
    const own = (reason: unknown): void => {
      listener(reason);
    };
    (this.#listeners ??= new Set()).add(own);
    return () => {
      this.#listeners?.delete(own);
    };
  }

  /** The acquisition is over, and the signal is not listened to any more. */
  close(): void {
    this.#forget?.();
  }
}
