import { constants } from 'node:os';
import { HELP, readOptions, UsageError } from './options.js';
import { printerFor } from './print.js';
import { run } from './run.js';

/**
 * The demo: servers, replicas and the judge of their ticks. `npm start -- --help` says what it takes.
 *
 * This process is the coordinator. It runs no job itself: it starts the servers and the replicas, listens, and breaks
 * things when asked to.
 */
process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const stop = new AbortController();
  let stoppedBy = 0;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    // A second signal changes nothing: npm repeats the Ctrl-C that the terminal has sent to every process.
    process.on(signal, () => {
      stoppedBy ||= constants.signals[signal];
      stop.abort();
    });
  }
  // The reader of the output is gone, as in `npm start | head`, or when a terminal is closed.
  for (const output of [process.stdout, process.stderr]) {
    output.on('error', () => {
      stoppedBy ||= constants.signals.SIGPIPE;
      stop.abort();
    });
  }

  let code = 1;
  try {
    const options = readOptions(args);
    if (options === 'help') process.stdout.write(HELP);
    code = options === 'help' || (await run(options, printerFor(options), stop.signal)) ? 0 : 1;
  } catch (error) {
    if (!stop.signal.aborted) process.stderr.write(`${messageOf(error)}\n`);
    if (error instanceof UsageError) code = 2;
  }
  return stoppedBy === 0 ? code : 128 + stoppedBy;
}

function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return error instanceof UsageError ? `${message} See npm start -- --help.` : message;
}
