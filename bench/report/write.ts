import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CONTESTANTS, type ContestantName } from '../contestants/index.js';
import type { Options } from '../options.js';
import type { Row } from '../scenarios/scenario.js';
import { chartOf } from './chart.js';
import type { Machine } from './machine.js';
import { tableOf, type Columns } from './table.js';

export interface Results {
  readonly options: Options;
  readonly machine: Machine;
  readonly rows: readonly Row[];
  readonly notes: readonly string[];
}

export function columnsOf(names: readonly ContestantName[]): Columns {
  return names.map((name) => [name, CONTESTANTS[name].title] as const);
}

/** The table with what is to be known of it, in Markdown. */
export function markdownOf({ options, machine, rows, notes }: Results): string {
  const { commit, node, servers, cores } = machine;
  const rounds = `${options.plan.rounds} rounds of ${options.plan.turnMs} ms`;
  return [
    `Measured at ${commit}, Node ${node}, ${servers}, ${cores} cores, ${rounds}. \`x\`: times plain ioredis in the same round; in brackets the quartiles.`,
    tableOf(rows, columnsOf(options.contestants)),
    notes.map((note) => `- ${note}`).join('\n'),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

/** All numbers as JSON, and the chart. Returns the paths. */
export function writeFiles(results: Results): string[] {
  const { options, machine, rows, notes } = results;
  mkdirSync(options.folder, { recursive: true });
  const base = join(options.folder, machine.at.slice(0, 19).replaceAll(':', '-'));
  const { plan, servers, isQuick } = options;
  writeFileSync(`${base}.json`, `${JSON.stringify({ machine, isQuick, servers, plan, notes, rows }, null, 2)}\n`);
  writeFileSync(`${base}.svg`, chartOf(rows, columnsOf(options.contestants)));
  return [`${base}.json`, `${base}.svg`];
}
