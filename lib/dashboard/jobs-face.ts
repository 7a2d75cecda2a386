import type { RedlockJobs } from '../redlock.jobs.js';

/** What the page needs of `RedlockJobs`. */
export type JobsFace = Pick<RedlockJobs, 'list' | 'history' | 'pause' | 'resume' | 'runNow'>;
