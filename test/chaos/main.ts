import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HELP, readOptions, UsageError } from './options.js';
import { run } from './run.js';
import { isFine, summaryOf } from './summary.js';
import { timelineOf } from './timeline.js';

let toldAtMs = -Infinity;

try {
  const options = readOptions(process.argv.slice(2));
  if (options === 'help') process.stdout.write(HELP);
  else {
    const outcome = await run(options, tell);
    mkdirSync(options.out, { recursive: true });
    const history = join(options.out, 'history.json');
    writeFileSync(history, JSON.stringify(outcome.history));
    writeFileSync(join(options.out, 'timeline.svg'), timelineOf(outcome));
    const summary = summaryOf(options, outcome, history);
    writeFileSync(join(options.out, 'summary.txt'), summary);
    process.stdout.write(`\n${summary}`);
    process.exitCode = isFine(outcome) ? 0 : 1;
  }
} catch (error) {
  process.stderr.write(error instanceof UsageError ? `${error.message}\n` : `${String((error as Error).stack)}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}

/** One line that changes; without a terminal one line now and then. */
function tell(text: string): void {
  if (process.stdout.isTTY) process.stdout.write(`\r\u001b[K${text}`);
  else if (performance.now() - toldAtMs > 15_000 || !text.includes(' s, ')) {
    toldAtMs = performance.now();
    process.stdout.write(`${text}\n`);
  }
}
