import type { EventOf } from './events.js';

/** The identity of a tick: its lock's keys and its instant. */
export function tickName(keys: readonly string[], atMs: number): string {
  return `${keys.toSorted().join(' and ')} at ${atMs}`;
}

export function tickOf({ keys, tick }: EventOf<'asked'>): string | undefined {
  return tick && tickName(keys, tick.atMs);
}
