import type { RegisteredRun } from '../../client/jobs/job-record.js';
import { printable } from '../../core/printable.js';
import type { Command } from '../command.js';
import { cell, duration } from '../output.js';
import { findJob, outcomeIn } from './find-job.js';
import { timeText } from './jobs.js';

/** Lists the last runs of one job, the newest first. */
export const history: Command = async (context) => {
  const { args, client, output } = context;
  const job = await findJob(context);
  const { runs } = await client.jobs.read(job);
  if (args.json) output.json({ job: args.key, runs: runs.map((run) => runJson(run, outcomeIn(job, run))) });
  else if (runs.length === 0) output.line(`No run of "${printable(args.key)}" is known.`);
  else {
    const rows = runs.map((run) => [
      timeText(run.startedAtMs),
      run.tickMs === 0 ? '-' : timeText(run.tickMs),
      run.trigger,
      outcomeIn(job, run),
      run.endedAtMs === undefined ? '-' : duration(Math.max(0, run.endedAtMs - run.startedAtMs)),
      cell(run.owner),
      run.fencingToken === 0 ? '-' : String(run.fencingToken),
      cell(run.error ?? ''),
    ]);
    const head = ['STARTED', 'TICK', 'TRIGGER', 'OUTCOME', 'TOOK', 'REPLICA', 'FENCING TOKEN', 'ERROR'];
    output.table([head, ...rows]);
  }
  return 0;
};

export function runJson(run: RegisteredRun, outcome: string): object {
  const { trigger, tickMs, startedAtMs, endedAtMs, error, owner, fencingToken } = run;
  return {
    trigger,
    tick: tickMs === 0 ? null : timeText(tickMs),
    startedAt: timeText(startedAtMs),
    endedAt: endedAtMs === undefined ? null : timeText(endedAtMs),
    outcome,
    ...(error !== undefined && { error }),
    owner,
    fencingToken,
  };
}
