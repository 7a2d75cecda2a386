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
  const all = [first, ...others];
  const onAbort = (): void => {
    controller.abort(all.find(({ aborted }) => aborted)?.reason);
  };
  for (const signal of all) signal.addEventListener('abort', onAbort, { once: true });
  if (all.some(({ aborted }) => aborted)) onAbort();
  return {
    signal: controller.signal,
    dispose() {
      for (const signal of all) signal.removeEventListener('abort', onAbort);
    },
  };
}
