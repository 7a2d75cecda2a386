import { playBatch, seedsFrom } from './batch.js';

// A stack for each error that a schedule expects would cost more than the schedule.
Error.stackTraceLimit = 0;

/** A part of the seeds, for a process of its own. */
export interface Command {
  readonly from: number;
  readonly count: number;
}

process.on('message', ({ from, count }: Command) => {
  void playBatch(seedsFrom(from, count), () => true).then((result) => process.send?.(result));
});
process.on('unhandledRejection', (reason) => {
  process.stderr.write(`A promise was rejected and nobody heard of it (P17): ${String(reason)}\n`);
  process.exit(1);
});
process.send?.('ready');
