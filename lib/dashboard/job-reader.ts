import type { JobRun, JobStatus } from '../interfaces/jobs.interface.js';
import type { JobsFace } from './jobs-face.js';
import { idOf, jobRow, type Rows } from './rows.js';

/** How many runs of a job the page shows. */
const SHOWN_RUNS = 20;

interface History {
  readonly after: string;
  readonly runs: readonly JobRun[];
}

/** Reads all jobs, each with its last runs. */
export class JobReader {
  #histories: ReadonlyMap<string, History> = new Map();

  constructor(private readonly jobs: Pick<JobsFace, 'list' | 'history'>) {}

  async read(): Promise<Rows> {
    const list = await this.jobs.list();
    const histories = new Map<string, History>();
    const rows = await Promise.all(
      list.map(async (status): Promise<[string, object]> => {
        const id = idOf(status.instance, status.job);
        const runs = await this.#runsOf(id, status);
        if (runs !== undefined) histories.set(id, { after: stampOf(status), runs });
        return [id, jobRow(status, runs ?? this.#histories.get(id)?.runs ?? [])];
      }),
    );
    this.#histories = histories;
    return new Map(rows);
  }

  /** Only asked again when the job has run since: hundreds of jobs mostly do nothing. Nothing where it cannot be read now. */
  async #runsOf(id: string, status: JobStatus): Promise<readonly JobRun[] | undefined> {
    const known = this.#histories.get(id);
    if (known?.after === stampOf(status)) return known.runs;
    return await this.jobs.history(status.job, { limit: SHOWN_RUNS }).catch(() => undefined);
  }
}

/** Another one when a run has begun or ended since. */
function stampOf({ running, lastRun }: JobStatus): string {
  return JSON.stringify([running, lastRun]);
}
