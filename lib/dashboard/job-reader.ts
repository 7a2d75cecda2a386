import type { JobRun, JobStatus } from '../interfaces/jobs.interface.js';
import { DEFAULT_NAME } from '../redlock.constants.js';
import type { JobsFace } from './jobs-face.js';
import { idOf, jobRow, steady, type Rows } from './rows.js';

/** How many runs of a job the page shows. */
const SHOWN_RUNS = 20;

/** What was read of a job before. */
interface Known {
  /** The runs that the job had then: another text when a run has begun or ended since. */
  readonly stamp: string;
  readonly runs: readonly JobRun[];
  readonly pausedUntil: number | undefined;
}

/** Reads all jobs, each with its last runs. */
export class JobReader {
  #known: ReadonlyMap<string, Known> = new Map();

  constructor(private readonly jobs: Pick<JobsFace, 'list' | 'history'>) {}

  async read(): Promise<Rows> {
    const list = await this.jobs.list();
    const all = await Promise.all(
      list.map(async (status) => {
        const id = idOf(status.instance, status.job);
        const now = await this.#knownOf(status, this.#known.get(id));
        return { id, status, now };
      }),
    );
    this.#known = new Map(all.map(({ id, now }) => [id, now]));
    return new Map(all.map(({ id, status, now }) => [id, jobRow(withLastRun(status, now), now.runs, now.pausedUntil)]));
  }

  /** The runs are only asked for again when the job has run since: hundreds of jobs mostly do nothing. */
  async #knownOf(status: JobStatus, before: Known | undefined): Promise<Known> {
    const { job, instance = DEFAULT_NAME, running, lastRun, paused, unknown } = status;
    const pausedUntil = steady(before?.pausedUntil, paused?.until?.getTime());
    const stamp = JSON.stringify([running, lastRun]);
    if (before?.stamp === stamp) return { ...before, pausedUntil };
    const stays = { stamp: before?.stamp ?? '', runs: before?.runs ?? [], pausedUntil };
    if (unknown !== undefined) return stays;
    return await this.jobs.history(job, { limit: SHOWN_RUNS, instance }).then(
      (runs) => ({ stamp, runs, pausedUntil }),
      () => stays,
    );
  }
}

/** While the servers do not answer, a job has the last run that was known before. */
function withLastRun(status: JobStatus, { runs }: Known): JobStatus {
  const lastRun = status.unknown === undefined ? undefined : runs.find(({ outcome }) => outcome !== 'running');
  return lastRun === undefined ? status : { ...status, lastRun };
}
