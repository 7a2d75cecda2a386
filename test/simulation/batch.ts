import { addOutcome, newTally, type Tally } from './coverage.js';
import { play } from './schedule.js';
import { problemsOf } from './trace.js';

/** A schedule with which something is wrong. */
export interface Failure {
  readonly seed: number;
  readonly problems: readonly { readonly checker: string; readonly what: string }[];
}

export interface BatchResult {
  readonly tally: Tally;
  readonly failures: readonly Failure[];
}

/** Plays these seeds, one after the other. */
export async function playBatch(seeds: Iterable<number>, mayGoOn: (failure: Failure) => boolean): Promise<BatchResult> {
  const tally = newTally();
  const failures: Failure[] = [];
  for (const seed of seeds) {
    const outcome = await play(seed);
    addOutcome(tally, outcome);
    const problems = problemsOf(outcome);
    if (problems.length === 0) continue;
    const failure = { seed, problems };
    failures.push(failure);
    if (!mayGoOn(failure)) break;
  }
  return { tally, failures };
}

export function* seedsFrom(from: number, count: number): Iterable<number> {
  for (let seed = from; seed < from + count; seed++) yield seed;
}
