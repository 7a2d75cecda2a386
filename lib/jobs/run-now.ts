import type { JobRun, Lock } from '../interfaces/index.js';
import { NOT_CALLED } from '../redlock.messages.js';
import type { Job } from './job.js';

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
  return {
    job: job.name,
    trigger: 'manual',
    owner,
    startedAt,
    endedAt: new Date(),
    outcome: 'succeeded',
    fencingToken,
  };
}
