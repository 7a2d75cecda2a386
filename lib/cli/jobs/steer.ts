import type { RegisteredRun } from '../../client/jobs/job-record.js';
import { quoted } from '../../core/errors/redlock.error.js';
import { printable } from '../../core/printable.js';
import type { Command, Context } from '../command.js';
import { duration } from '../output.js';
import { findJob, outcomeIn } from './find-job.js';

/** Pauses a job on all replicas. A run that goes on is not stopped. */
export const pause: Command = async (context) => {
  const { args, client, output } = context;
  const { forMs = Infinity, reason } = args;
  const job = await findJob(context);
  await client.jobs.pause(job, { forMs, reason });
  const { runs } = await client.jobs.read(job);
  const running = runs.find((run) => ['running', 'not ended'].includes(outcomeIn(job, run)));
  if (args.json) {
    output.json({ job: args.key, paused: { leftMs: forMs, reason }, running: running?.owner ?? null });
    return 0;
  }
  const until = forMs === Infinity ? 'until it is resumed' : `for ${duration(forMs)}`;
  output.line(`"${printable(args.key)}" is paused on all replicas ${until}.`);
  if (running !== undefined) {
    const goesOn = running.outcome === 'running' ? 'goes on' : 'may go on';
    output.line(`The run that has begun ${goesOn}, on ${printable(running.owner)}.`);
  }
  sayIfUnknown(context, runs);
  return 0;
};

/** Ends a pause, also one that few servers know of, or that failed and would take effect later. The next tick runs. */
export const resume: Command = async (context) => {
  const { args, client, output } = context;
  const job = await findJob(context);
  const { pausedLeftMs, runs } = await client.jobs.read(job);
  await client.jobs.resume(job);
  if (args.json) {
    output.json({ job: args.key, paused: null });
    return 0;
  }
  if (pausedLeftMs === 0) output.line(`"${printable(args.key)}" was not paused.`);
  else output.line(`"${printable(args.key)}" is not paused any more: its next tick runs.`);
  sayIfUnknown(context, runs);
  return 0;
};

/** A job that `--key` names need not exist: with another name, or other keys, nothing is paused that ever runs. */
function sayIfUnknown({ args: { lockKeys }, output }: Context, runs: readonly RegisteredRun[]): void {
  if (lockKeys === undefined || runs.length > 0) return;
  output.line(`No run of it is known: make sure that a job of this name locks ${quoted(lockKeys)}, and no other key.`);
}
