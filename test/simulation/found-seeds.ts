/**
 * Seeds that have found something once, and what. Every run plays them first. A seed replays its schedule as long as the
 * simulator draws from chance in the same order; what it has found has a test of its own beside.
 */
export const FOUND_SEEDS: readonly { readonly seed: number; readonly found: string }[] = [
  { seed: 197, found: 'what was asked for while it connected left for a server that had forgotten locks' },
  { seed: 839, found: 'a tick ran twice where a replica still waited when its server was trusted again' },
];
