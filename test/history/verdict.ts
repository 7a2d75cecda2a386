import type { CheckerName, HistoryEvent } from './events.js';

/** One breach of a promise, with the events that prove it. */
export interface Violation {
  readonly what: string;
  readonly events: readonly HistoryEvent[];
}

/**
 * What a checker says of a history.
 *
 * - `holds`: it has judged this many things, and all were well.
 * - `violated`: with the proof. A breach is one whatever is missing elsewhere.
 * - `unknown`: never a pass. `incomplete`: an event is missing or cannot be. `outside`: the run claims nothing of the kind,
 *   on purpose. `nothing`: nothing happened that there is to judge.
 */
export type Verdict = { readonly checker: CheckerName; readonly judged: number } & (
  | { readonly outcome: 'holds' }
  | { readonly outcome: 'violated'; readonly violations: readonly Violation[] }
  | { readonly outcome: 'unknown'; readonly why: 'incomplete' | 'outside' | 'nothing'; readonly reason: string }
);

/** What a checker has found. `gaps` are its own: what it would have to know, beyond what is already missing in the operations. */
export interface Findings {
  readonly judged: number;
  readonly violations: readonly Violation[];
  readonly gaps?: readonly string[];
}
