import { runOf } from '../client/jobs/run-of.js';
import type { JobRun, Lock } from '../interfaces/index.js';
import { NOT_CALLED } from '../redlock.messages.js';
import type { Job } from './job.js';

/** As much of an error as the servers keep. */
const LONGEST_ERROR = 200;

/** Runs a job by hand, and resolves with that run when it has ended. `onBegun` is called when it begins. */
export async function runNow(job: Job, onBegun?: () => void): Promise<JobRun> {
  const begun: { lock?: Lock; startedAt?: Date } = {};
  const begin = (lock: Lock): void => {
    Object.assign(begun, { lock, startedAt: new Date() });
    onBegun?.();
  };
  await job.run({ trigger: 'manual', onBegun: begin });
  const { lock, startedAt } = begun;
  if (lock === undefined || startedAt === undefined) throw new Error(NOT_CALLED(job.method.label));
  const { owner } = job.service.client.settings;
  const { fencingToken } = lock;
  return { job: job.name, trigger: 'manual', owner, startedAt, ...endOf(lock), fencingToken };
}

/** A decorator above may have kept the error of the run, or not have waited for its end. */
function endOf(lock: Lock): Pick<JobRun, 'outcome' | 'endedAt' | 'error'> {
  const run = runOf(lock);
  if (run === undefined) return { outcome: 'succeeded', endedAt: new Date() };
  if (run.ended === undefined) return { outcome: 'running' };
  const { outcome, endedAtMs, error } = run.ended;
  return {
    outcome,
    endedAt: new Date(endedAtMs),
    ...(error !== undefined && { error: error.slice(0, LONGEST_ERROR) }),
  };
}
