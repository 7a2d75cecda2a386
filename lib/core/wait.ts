import type { Clock } from './ports/clock.js';

/** Rejects with the signal's own reason, which need not be an Error: it belongs to the caller. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  signal?.throwIfAborted();
}

/** Waits, or rejects with the signal's own reason as soon as it aborts. Leaves no timer and no listener behind. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  let cancel: (() => void) | undefined;
  const slept = new Promise<void>((resolve) => {
    cancel = clock.after(delayMs, resolve);
  });
  return unlessAborted(slept, signal).finally(() => cancel?.());
}

/** What the promise resolves to, or undefined when the time is over first. Rejects when the signal aborts. */
export async function withinMs<T>(
  clock: Clock,
  promise: Promise<T>,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<T | undefined> {
  let cancel: (() => void) | undefined;
  const timeout = new Promise<undefined>((resolve) => {
    cancel = clock.after(timeoutMs, () => {
      resolve(undefined);
    });
  });
  return await unlessAborted(Promise.race([promise, timeout]), signal).finally(() => cancel?.());
}

/** The promise, or the signal's own reason if that comes first. What happens to the promise then is up to the caller. */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- the signal's own reason, unchanged
      reject(signal.reason);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    promise.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', onAbort);
    });
  });
}
