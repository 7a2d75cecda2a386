import type { Cancellation } from './cancellation.js';
import type { Cancel, Clock } from './ports/clock.js';

/**
 * Begins something, and resolves to what that resolves to; to undefined when the time is over first. Rejects with the reason of the
 * cancellation when that comes first. Leaves no timer and no listener behind.
 */
export function untilOver<T>(
  clock: Pick<Clock, 'after'>,
  timeoutMs: number,
  cancellation: Cancellation | undefined,
  begin: (resolve: (value: T) => void, reject: (error: unknown) => void) => void,
): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    let cancelTimer: Cancel | undefined;
    const listener = {
      onCancelled: (reason: unknown): void => {
        close();
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- the caller's own reason, unchanged
        reject(reason);
      },
    };
    const close = (): void => {
      cancelTimer?.();
      cancellation?.remove(listener);
    };
    if (timeoutMs < Infinity) {
      cancelTimer = clock.after(timeoutMs, () => {
        close();
        resolve(undefined);
      });
    }
    cancellation?.add(listener);
    begin((value) => {
      close();
      resolve(value);
    }, listener.onCancelled);
  });
}

/** Waits for so long. Rejects when it is cancelled. */
export async function sleep(clock: Clock, delayMs: number, cancellation?: Cancellation): Promise<void> {
  await untilOver(clock, delayMs, cancellation, () => undefined);
}

/**
 * What the promise resolves to, or undefined when the time is over first. Rejects when it is cancelled. After a stall of this process
 * the answer may lie here unread: it counts.
 */
export function withinMs<T>(
  clock: Clock,
  promise: Promise<T>,
  timeoutMs: number,
  cancellation?: Cancellation,
): Promise<T | undefined> {
  const after: Clock['after'] = (delayMs, callback, kind) => {
    const afterInput = (): void => {
      clock.afterInput(callback);
    };
    return clock.after(delayMs, afterInput, kind);
  };
  return untilOver<T>({ after }, timeoutMs, cancellation, (resolve, reject) => {
    promise.then(resolve, reject);
  });
}
