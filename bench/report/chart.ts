import type { Row } from '../scenarios/scenario.js';
import { cellOf } from './cells.js';
import { short } from './numbers.js';
import type { Columns } from './table.js';

const COLOURS = ['#888888', '#d1242f', '#fb8f44', '#0969da', '#1a7f37', '#8250df', '#bf3989'];
const LEFT = 330;
const PLOT = 560;
const LINE = 22;
const TOP = 74;
const TICKS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50];

/**
 * A dot for each contestant and row, on a logarithmic scale: how many times the cost of plain ioredis. What is better when it is more
 * (locks a second) is turned round, so that left is better everywhere.
 */
export function chartOf(rows: readonly Row[], columns: Columns): string {
  const drawn = rows.filter(({ values }) => values.raw !== undefined);
  const height = TOP + drawn.length * LINE + 20;
  const width = LEFT + PLOT + 30;
  const dots = drawn.flatMap((row, index) => columns.map(([name], order) => dot(row, name, order, yOf(index))));
  const labels = drawn.map((row, index) => text(LEFT - 12, yOf(index) + 4, `${row.label} (${row.servers})`, 'end'));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    text(12, 20, 'Cost of a lock, in times of plain ioredis (in brackets: servers). Left is better.', 'start'),
    ...columns.map(([, title], order) => legend(title, order)),
    ...TICKS.map((value) => gridLine(value, height)),
    ...labels,
    ...dots,
    '</svg>\n',
  ].join('\n');
}

function yOf(index: number): number {
  return TOP + index * LINE + LINE / 2;
}

/** The scale goes from the first of its marks to the last; what is beyond stands at the edge. */
function xOf(cost: number): number {
  const low = Math.log(TICKS[0]!);
  const high = Math.log(TICKS.at(-1)!);
  return LEFT + (PLOT * (Math.min(high, Math.max(low, Math.log(cost))) - low)) / (high - low);
}

function dot(row: Row, name: string, order: number, y: number): string {
  const cell = cellOf(row, name);
  if (cell?.kind !== 'ratio' || !(cell.spread.median > 0)) return '';
  const { median, low, high } = cell.spread;
  const x = (ratio: number): string => xOf(row.better === 'less' ? ratio : 1 / ratio).toFixed(1);
  const fill = COLOURS[order % COLOURS.length];
  const title = `<title>${escaped(name)}: ${short(median)} (${short(low)} to ${short(high)})</title>`;
  return (
    `<line x1="${x(low)}" x2="${x(high)}" y1="${y}" y2="${y}" stroke="${fill}" stroke-width="2"/>` +
    `<circle cx="${x(median)}" cy="${y}" r="4" fill="${fill}" fill-opacity="0.85">${title}</circle>`
  );
}

function legend(title: string, order: number): string {
  const x = 12 + order * 128;
  return `<circle cx="${x + 4}" cy="36" r="4" fill="${COLOURS[order % COLOURS.length]}"/>${text(x + 12, 40, title, 'start')}`;
}

function gridLine(value: number, height: number): string {
  const x = xOf(value).toFixed(1);
  const stroke = value === 1 ? '#57606a' : '#d8dee4';
  return `<line x1="${x}" x2="${x}" y1="${TOP}" y2="${height - 16}" stroke="${stroke}"/>${text(Number(x), TOP - 8, String(value), 'middle')}`;
}

function text(x: number, y: number, content: string, anchor: string): string {
  return `<text x="${x}" y="${y}" text-anchor="${anchor}" fill="#24292f">${escaped(content)}</text>`;
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
