import type { Row } from '../scenarios/scenario.js';
import { cellOf } from './cells.js';
import { short } from './numbers.js';

/** A column for each contestant: its name, and its head. */
export type Columns = readonly (readonly [name: string, title: string])[];

/** Markdown: one table for each number of servers. */
export function tableOf(rows: readonly Row[], columns: Columns): string {
  const counts = [...new Set(rows.map(({ servers }) => servers))].sort((one, other) => other - one);
  return counts
    .map((servers) => {
      const own = rows.filter((row) => row.servers === servers);
      const lines = own.map((row) => [labelOf(row), ...columns.map(([name]) => cellText(row, name))]);
      const head = [servers === 1 ? 'one server' : `${servers} servers`, ...columns.map(([, title]) => title)];
      return [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
    })
    .join('\n\n');
}

function labelOf({ label, unit, better }: Row): string {
  const more = better === 'more' ? ' (more is better)' : '';
  return `${label}${unit === '' || unit.startsWith('/') ? '' : `, ${unit}`}${more}`;
}

/** `1.18 (1.15 to 1.22)`: the median and the quartiles. */
function cellText(row: Row, contestant: string): string {
  const cell = cellOf(row, contestant);
  if (cell === undefined) return '-';
  const { median, low, high } = cell.spread;
  const times = cell.kind === 'ratio' ? 'x ' : '';
  return low === high ? `${times}${short(median)}` : `${times}${short(median)} (${short(low)} to ${short(high)})`;
}
