import { parseArgs } from 'node:util';
import { CONTESTANT_NAMES, type ContestantName } from './contestants/index.js';

/** How much is measured. */
export interface Plan {
  /** In each round every contestant has its turn. */
  readonly rounds: number;
  /** How long a turn is. */
  readonly turnMs: number;
  /** How long each contestant warms up before, with what is measured then. */
  readonly warmUpMs: number;
  /** How long several waiters want the same lock, in each turn. */
  readonly waitMs: number;
  readonly kept: { readonly locks: number; readonly ttlMs: number; readonly forMs: number };
  readonly ticks: { readonly count: number; readonly everySeconds: number; readonly jobs: number };
}

export const FULL: Plan = {
  rounds: 7,
  turnMs: 700,
  warmUpMs: 3_000,
  waitMs: 3_000,
  kept: { locks: 10_000, ttlMs: 10_000, forMs: 60_000 },
  ticks: { count: 5, everySeconds: 5, jobs: 300 },
};

export const QUICK: Plan = {
  rounds: 3,
  turnMs: 60,
  warmUpMs: 60,
  waitMs: 200,
  kept: { locks: 1_000, ttlMs: 3_000, forMs: 2_000 },
  ticks: { count: 1, everySeconds: 5, jobs: 300 },
};

export interface Options {
  readonly help: boolean;
  readonly isQuick: boolean;
  readonly plan: Plan;
  readonly servers: readonly number[];
  /** Names of scenarios; all where it is empty. */
  readonly only: readonly string[];
  readonly contestants: readonly ContestantName[];
  readonly folder: string;
}

/** @throws Error with a sentence for the caller */
export function parseOptions(args: readonly string[], scenarios: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      servers: { type: 'string', default: '5' },
      only: { type: 'string', multiple: true, default: [] },
      contestants: { type: 'string', multiple: true, default: [] },
      rounds: { type: 'string' },
      out: { type: 'string', default: 'bench/results' },
      help: { type: 'boolean', default: false },
    },
  });
  const plan = values.quick ? QUICK : FULL;
  const rounds = values.rounds === undefined ? plan.rounds : toCount('--rounds', values.rounds);
  const named = namesOf('--contestants', values.contestants, CONTESTANT_NAMES);
  return {
    help: values.help,
    isQuick: values.quick,
    plan: { ...plan, rounds },
    servers: listOf([values.servers]).map((text) => toCount('--servers', text)),
    only: namesOf('--only', values.only, scenarios),
    // Always in one order, and with what the others are compared with.
    contestants: CONTESTANT_NAMES.filter((name) => named.length === 0 || name === 'raw' || named.includes(name)),
    folder: values.out,
  };
}

function listOf(values: readonly string[]): string[] {
  return values.flatMap((value) => value.split(',')).map((part) => part.trim());
}

function toCount(option: string, text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new Error(`${option} takes whole numbers from 1, not '${text}'.`);
  return count;
}

function namesOf(option: string, values: readonly string[], known: readonly string[]): string[] {
  const names = listOf(values);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return names;
  throw new Error(`${option} takes ${known.join(', ')}; '${unknown}' is none of these.`);
}
