import type { Place } from './linked-list.js';
import type { Cancel } from './ports/clock.js';
import { onAbort } from './signals.js';

/** What a cancellation ends. */
export interface CancelListener {
  onCancelled(reason: unknown): void;
}

/**
 * Ends one acquisition before its time: because its caller's signal aborts, or because the application shuts down.
 *
 * An AbortController would do, but its signal is an event target of its own: with 100,000 calls at once these took most of the time
 * and of the memory.
 */
export class Cancellation {
  /** Where the calls that wait are listed. */
  place: Place<Cancellation> | undefined;
  #cancelled: { readonly reason: unknown } | undefined;
  /** Most have one listener at a time. */
  #listener: CancelListener | undefined;
  #others: Set<CancelListener> | undefined;
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
    this.#listener?.onCancelled(reason);
    for (const listener of this.#others ?? []) listener.onCancelled(reason);
  }

  /** @throws what it was cancelled with */
  throwIfCancelled(): void {
    if (this.#cancelled !== undefined) throw this.#cancelled.reason;
  }

  /** Calls back once when it is cancelled; where it is already, at once. Until {@link remove}. */
  add(listener: CancelListener): void {
    if (this.#cancelled !== undefined) listener.onCancelled(this.#cancelled.reason);
    else if (this.#listener === undefined) this.#listener = listener;
    else (this.#others ??= new Set()).add(listener);
  }

  remove(listener: CancelListener): void {
    if (this.#listener === listener) this.#listener = undefined;
    else this.#others?.delete(listener);
  }

  /** The acquisition is over, and the signal is not listened to any more. */
  close(): void {
    this.#forget?.();
  }
}
