import type { JobRun, JobStatus } from '../interfaces/jobs.interface.js';

/** What the page needs of `RedlockJobs`. */
export interface JobsFace {
  list(): Promise<JobStatus[]>;
  history(job: string, options?: { limit?: number }): Promise<JobRun[]>;
  pause(job: string, options?: { for?: number | string; reason?: string }): Promise<void>;
  resume(job: string): Promise<void>;
  runNow(job: string): Promise<JobRun>;
}

/** Injection token of it. */
export const JOBS_FACE = Symbol.for('redlock-nestjs:dashboard-jobs');
