import { onAbort } from '../core/signals.js';

/** A signal that aborts with the first of others, until it is disposed of. */
export interface AnySignal {
  readonly signal: AbortSignal | undefined;
  readonly dispose: () => void;
}

/**
 * As `AbortSignal.any`, which keeps some memory of each call for as long as its signals live: those of an application and
 * of a decorator live as long as the process, and a job is called for ever.
 */
export function anySignal(signals: readonly (AbortSignal | undefined)[]): AnySignal {
  const [first, ...others] = signals.filter((signal) => signal !== undefined);
  if (first === undefined || others.length === 0) return { signal: first, dispose: () => undefined };

  const controller = new AbortController();
  const cancels = [first, ...others].map((signal) =>
    onAbort(signal, () => {
      controller.abort(signal.reason);
    }),
  );
  return {
    signal: controller.signal,
    dispose() {
      for (const cancel of cancels) cancel();
    },
  };
}
