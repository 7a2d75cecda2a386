import type { Cancel } from './ports/clock.js';

interface Waiting {
  readonly listeners: Set<() => void>;
  readonly onAbort: () => void;
}

const waiting = new WeakMap<AbortSignal, Waiting>();

/**
 * Calls back once when the signal aborts; where it has aborted already, at once.
 *
 * All who wait for one signal share one listener on it. Node warns of more than ten (a signal of the whole application has
 * thousands), and adding one takes the longer the more there are.
 */
export function onAbort(signal: AbortSignal, listener: () => void): Cancel {
  if (signal.aborted) {
    listener();
    return () => undefined;
  }
  const { listeners, onAbort } = waiting.get(signal) ?? listenTo(signal);
  const own = (): void => {
    listener();
  };
  listeners.add(own);
  return () => {
    listeners.delete(own);
    if (listeners.size > 0 || waiting.get(signal)?.listeners !== listeners) return;
    waiting.delete(signal);
    signal.removeEventListener('abort', onAbort);
  };
}

function listenTo(signal: AbortSignal): Waiting {
  const listeners = new Set<() => void>();
  const onAbort = (): void => {
    waiting.delete(signal);
    for (const each of listeners) each();
  };
  const entry = { listeners, onAbort };
  waiting.set(signal, entry);
  signal.addEventListener('abort', onAbort, { once: true });
  return entry;
}
