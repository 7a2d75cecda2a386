// What the package runs on, measured: `npm run matrix`. Each cell is a project with the packed library. Results are kept in
// a folder of this machine, so the cells can run one after the other; docs/matrix.md is written when there is a result of each.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CELLS } from './cells.mjs';
import { page, table } from './page.mjs';
import { CACHE, ROOT } from './places.mjs';
import { NotHereError } from './run.mjs';

const HELP = `npm run matrix -- [--only TEXT]... [--missing] [--list] [--out FILE]

--only TEXT  the cells with this text in their axis or name; may be given several times
--missing    the cells that have no result yet, or have failed
--list       names the cells, and runs none
--out FILE   where the page goes; default: docs/matrix.md`;

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    missing: { type: 'boolean' },
    list: { type: 'boolean' },
    out: { type: 'string', default: join(ROOT, 'docs/matrix.md') },
    help: { type: 'boolean' },
  },
});

const KEPT = join(CACHE, 'results.json');
const results = readResults();

function readResults() {
  try {
    return JSON.parse(readFileSync(KEPT, 'utf8'));
  } catch {
    return {};
  }
}

const textOf = ({ axis, name }) => `${axis}: ${name}`;

function isChosen(cell) {
  if (values.missing && results[textOf(cell)]?.outcome === 'passes') return false;
  const text = textOf(cell).toLowerCase();
  return values.only === undefined || values.only.some((only) => text.includes(only.toLowerCase()));
}

async function measure(cell) {
  const measuredAt = new Date().toISOString().slice(0, 10);
  try {
    return { outcome: 'passes', notes: await cell.run(), measuredAt };
  } catch (error) {
    const outcome = error instanceof NotHereError ? 'not here' : 'FAILS';
    if (outcome === 'FAILS') console.error(`\n${textOf(cell)}\n${error.output ?? error.stack}\n`);
    return { outcome, notes: [error.message.split('\n')[0]], measuredAt };
  }
}

async function main() {
  const chosen = CELLS.filter(isChosen);
  if (values.help) return console.log(HELP);
  if (values.list) return console.log(chosen.map(textOf).join('\n'));
  mkdirSync(CACHE, { recursive: true });
  for (const cell of chosen) {
    const startedAtMs = performance.now();
    const result = await measure(cell);
    results[textOf(cell)] = result;
    writeFileSync(KEPT, JSON.stringify(results, undefined, 2));
    const seconds = Math.round((performance.now() - startedAtMs) / 1000);
    console.log(`${result.outcome}  ${textOf(cell)} (${result.notes.join(', ')}) after ${seconds} s`);
  }
  const rows = CELLS.map((cell) => ({ cell, result: results[textOf(cell)] }));
  console.log(`\n${table(rows.filter(({ cell }) => chosen.includes(cell)))}`);
  if (rows.every(({ result }) => result !== undefined)) writeFileSync(values.out, page(rows));
  process.exitCode = chosen.some((cell) => results[textOf(cell)].outcome === 'FAILS') ? 1 : 0;
}

await main();
