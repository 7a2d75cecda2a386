import { start } from '../test/support/fleet.js';
import { Bench } from './bench.js';
import { entryOf, runsOn } from './contestants/index.js';
import { helpOf } from './help.js';
import { installPeers } from './install.js';
import { parseOptions, type Options } from './options.js';
import { Progress } from './progress.js';
import { describeMachine } from './report/machine.js';
import { markdownOf, writeFiles } from './report/write.js';
import { SCENARIOS } from './scenarios/index.js';
import type { Row, Scenario } from './scenarios/scenario.js';

const NODE = Number(process.versions.node.split('.')[0]);

try {
  const scenarios = SCENARIOS.map(({ name }) => name);
  const options = parseOptions(process.argv.slice(2), scenarios);
  if (options.help) process.stdout.write(helpOf(SCENARIOS));
  else await main(options);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

async function main(asked: Options): Promise<void> {
  const contestants = asked.contestants.filter((name) => runsOn(name, NODE));
  const skipped = asked.contestants.filter((name) => !runsOn(name, NODE));
  const notes = skipped.map((name) => `${name} is left out: it needs Node ${entryOf(name).node}, this is ${NODE}.`);
  for (const note of notes) process.stderr.write(`${note}\n`);
  if (contestants.some((name) => entryOf(name).isPeer)) installPeers();

  const options = { ...asked, contestants };
  const work = workOf(options);
  const progress = new Progress(work.length);
  // Without a file behind the data: the disk would be measured, too.
  const args = ['--appendonly', 'no'];
  await using fleet = await start(Math.max(...work.map(({ servers }) => servers)), { direct: true, args });
  await using bench = await Bench.open(options, progress, fleet);
  const rows: Row[] = [];
  for (const { scenario, servers } of work) {
    progress.begin(`${scenario.title} (${servers})`);
    rows.push(...(await scenario.run(bench, servers)));
  }
  progress.end();
  const machine = describeMachine(fleet.origin);
  const results = { options, machine, rows, notes: [...notes, ...bench.notes] };
  process.stdout.write(`${markdownOf(results)}\n`);
  for (const path of writeFiles(results)) process.stderr.write(`${path}\n`);
}

function workOf({ servers, only }: Options): { scenario: Scenario; servers: number }[] {
  const chosen = SCENARIOS.filter(({ name }) => only.length === 0 || only.includes(name));
  const each = chosen.filter(({ onlyOn }) => onlyOn === undefined);
  const extra = chosen.filter(({ onlyOn }) => onlyOn !== undefined && (only.length > 0 || !servers.includes(onlyOn)));
  return [
    ...servers.flatMap((count) => each.map((scenario) => ({ scenario, servers: count }))),
    ...extra.map((scenario) => ({ scenario, servers: scenario.onlyOn! })),
  ];
}
