import { setTimeout as pass } from 'node:timers/promises';
import type { Bench } from '../bench.js';
import type { ContestantName } from '../contestants/index.js';

/** A contestant's turns. */
export type Turns<T> = ReadonlyMap<ContestantName, readonly T[]>;

/** What the last turn has left to do is done before the next one begins. */
const SETTLE_MS = 10;

/**
 * Rounds in which each contestant has its turn, so that what disturbs the machine for a while disturbs all of them. The first round warms
 * up and does not count. Each round begins with another contestant.
 */
export async function interleave<T>(
  { plan, progress }: Bench,
  names: readonly ContestantName[],
  turn: (name: ContestantName, isWarmUp: boolean) => Promise<T>,
  rounds = plan.rounds,
): Promise<Turns<T>> {
  const turns = new Map<ContestantName, T[]>(names.map((name) => [name, []]));
  for (let round = -1; round < rounds; round++) {
    for (let place = 0; place < names.length; place++) {
      const name = names[(place + round + names.length) % names.length]!;
      const result = await turn(name, round < 0);
      if (round >= 0) turns.get(name)!.push(result);
      await pass(SETTLE_MS);
      progress.at(((round + 1) * names.length + place + 1) / ((rounds + 1) * names.length));
    }
  }
  return turns;
}

/** One number of each turn. */
export function pick<T>(turns: Turns<T>, number: (turn: T) => number): Record<string, number[]> {
  return Object.fromEntries([...turns].map(([name, results]) => [name, results.map(number)]));
}
