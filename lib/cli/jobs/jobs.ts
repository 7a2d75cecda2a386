import { listJobs, type JobList, type ListedJob } from '../../client/jobs/job-list.js';
import type { JobRecord, RegisteredRun } from '../../client/jobs/job-record.js';
import type { Command, Context } from '../command.js';
import { noneFound, printGaps } from '../gaps.js';
import { exitCodeOf } from '../holders.js';
import { cell, duration } from '../output.js';
import { outcomeIn } from './find-job.js';
import { runJson } from './history.js';

/** So many registers are read at once. */
const READS = 100;

type JobWithRecord = ListedJob & { readonly record: JobRecord };

/** Lists the jobs that the servers know: the last run of each, and whether it is paused. */
export const jobs: Command = async (context) => {
  const { args, client, output } = context;
  const { prefix: keyPrefix, limit, timeoutMs, json } = args;
  const [shard] = client.shards.list;
  if (shard === undefined) throw new Error('A client has at least one shard.');
  const searched = await listJobs(shard, { keyPrefix, limit, timeoutMs });
  const { jobs: found, servers, isComplete } = searched;
  const list: JobWithRecord[] = [];
  for (let start = 0; start < found.length; start += READS) {
    const some = found.slice(start, start + READS);
    list.push(...(await Promise.all(some.map(async (job) => ({ ...job, record: await client.jobs.read(job.found) })))));
  }
  if (json) output.json({ prefix: keyPrefix, complete: isComplete, servers, jobs: list.map(jobJson) });
  else print(list, searched, context);
  return exitCodeOf(servers, 'failed');
};

function jobJson({ name, found, record: { pausedLeftMs, reason, runs } }: JobWithRecord): object {
  const paused = pausedLeftMs > 0 ? { leftMs: pausedLeftMs, reason } : null;
  const [last] = runs;
  return { job: name, paused, lastRun: last === undefined ? null : runJson(last, outcomeIn(found, last)) };
}

function print(list: readonly JobWithRecord[], searched: JobList, { args, output }: Context): void {
  if (list.length === 0) output.line(noneFound(`jobs with the prefix "${cell(args.prefix)}"`, searched));
  else {
    const rows = list.map(({ name, found, record }) => [
      cell(name),
      stateOf(record),
      ...lastCells(found, record.runs[0]),
    ]);
    output.table([['JOB', 'STATE', 'LAST RUN', 'OUTCOME', 'TOOK', 'REPLICA'], ...rows]);
  }
  printGaps(searched, 'jobs', { args, output });
}

function stateOf({ pausedLeftMs, reason, runs }: JobRecord): string {
  if (pausedLeftMs > 0) {
    const left = pausedLeftMs === Infinity ? '' : ` for ${duration(pausedLeftMs)}`;
    return cell(`paused${left}${reason === '' ? '' : `: ${reason}`}`);
  }
  return runs[0]?.outcome === 'running' ? 'running' : '-';
}

function lastCells(job: ListedJob['found'], run: RegisteredRun | undefined): string[] {
  if (run === undefined) return ['-', '-', '-', '-'];
  const { startedAtMs, endedAtMs, owner } = run;
  const took = endedAtMs === undefined ? '-' : duration(Math.max(0, endedAtMs - startedAtMs));
  return [timeText(startedAtMs), outcomeIn(job, run), took, cell(owner)];
}

/** Another program may have written a time that no calendar has. */
export function timeText(atMs: number): string {
  const time = new Date(atMs);
  return Number.isNaN(time.getTime()) ? String(atMs) : time.toISOString();
}
