import { InvalidOptionsError } from 'redlock-nestjs';
import ms from 'ms';
import type { JobsFace } from '../../../lib/dashboard/jobs-face.js';
import type { JobRun, JobStatus } from '../../../lib/interfaces/jobs.interface.js';

type Changes = { -readonly [K in keyof JobStatus]?: JobStatus[K] | undefined };

/** Jobs in memory, which keep what was done with them. */
export class FakeJobs implements JobsFace {
  /** Each call that changes something, in order. */
  readonly calls: unknown[][] = [];
  /** How often all were read, and how often the runs of one. */
  readonly reads = { list: 0, history: 0 };
  /** What the next call that changes something rejects with, and what reading rejects with. */
  error: Error | undefined;
  readError: Error | undefined;
  /** Settles when a run that was started by hand is to end. */
  runsUntil: Promise<unknown> = Promise.resolve();
  #token = 1000;
  readonly #jobs = new Map<string, { status: JobStatus; runs: JobRun[] }>();

  add(job: string, changes: Partial<JobStatus> = {}, runs: readonly Partial<JobRun>[] = []): this {
    const status = { job, method: 'Jobs.run', schedule: '0 2 * * *', ...changes };
    this.#jobs.set(job, { status, runs: [] });
    for (const run of runs.toReversed()) this.#addRun(job, run);
    return this;
  }

  change(job: string, changes: Changes): void {
    const entry = this.#entryOf(job);
    const all = Object.entries<unknown>({ ...entry.status, ...changes });
    entry.status = Object.fromEntries(all.filter(([, value]) => value !== undefined)) as unknown as JobStatus;
  }

  /** A run that has ended, of any replica. */
  end(job: string, run: Partial<JobRun> = {}): void {
    this.#addRun(job, run);
  }

  remove(job: string): void {
    this.#jobs.delete(job);
  }

  statusOf(job: string): JobStatus {
    return this.#entryOf(job).status;
  }

  list(): Promise<JobStatus[]> {
    this.reads.list++;
    if (this.readError !== undefined) return Promise.reject(this.readError);
    return Promise.resolve([...this.#jobs.values()].map(({ status }) => status));
  }

  history(job: string, { limit = 20 }: { limit?: number } = {}): Promise<JobRun[]> {
    this.reads.history++;
    return Promise.resolve(this.#entryOf(job).runs.slice(0, limit));
  }

  pause(job: string, options: { for?: number | string; reason?: string } = {}): Promise<void> {
    return this.#do(['pause', job, options], () => {
      const { for: duration, reason } = options;
      const forMs =
        duration === undefined ? undefined : typeof duration === 'string' ? ms(duration as ms.StringValue) : duration;
      if (Number.isNaN(forMs ?? 0) || (duration !== undefined && forMs === undefined)) {
        throw new InvalidOptionsError('for', "takes a duration such as '30s'");
      }
      this.change(job, {
        paused: {
          ...(forMs !== undefined && { until: new Date(Date.now() + forMs) }),
          ...(reason !== undefined && { reason }),
        },
      });
    });
  }

  resume(job: string, options: { instance?: string } = {}): Promise<void> {
    return this.#do(['resume', job, options], () => {
      this.change(job, { paused: undefined });
    });
  }

  async runNow(
    job: string,
    { onBegun, ...options }: { instance?: string; onBegun?: () => void } = {},
  ): Promise<JobRun> {
    const startedAt = new Date();
    await this.#do(['runNow', job, options], () => {
      const { endedAt: _, ...running } = this.#runOf(job, { trigger: 'manual', startedAt, outcome: 'running' });
      this.change(job, { running });
    });
    onBegun?.();
    await this.runsUntil;
    this.change(job, { running: undefined });
    return this.#addRun(job, { trigger: 'manual', startedAt, endedAt: new Date() });
  }

  async #do(call: unknown[], change: () => void): Promise<void> {
    this.calls.push(call);
    await Promise.resolve();
    const { error } = this;
    this.error = undefined;
    this.#entryOf(call[1] as string);
    if (error !== undefined) throw error;
    change();
  }

  #addRun(job: string, changes: Partial<JobRun>): JobRun {
    const run = this.#runOf(job, changes);
    this.#entryOf(job).runs.unshift(run);
    this.change(job, { lastRun: run });
    return run;
  }

  #runOf(job: string, changes: Partial<JobRun>): JobRun {
    const startedAt = changes.startedAt ?? new Date(Date.now() - 60_000);
    const endedAt = new Date(startedAt.getTime() + 1200);
    const run: JobRun = {
      job,
      trigger: 'schedule',
      owner: 'shop-1:7',
      startedAt,
      endedAt,
      outcome: 'succeeded',
      fencingToken: ++this.#token,
    };
    return { ...run, ...changes };
  }

  #entryOf(job: string): { status: JobStatus; runs: JobRun[] } {
    const entry = this.#jobs.get(job);
    if (entry === undefined) throw new InvalidOptionsError('job', `takes the name of a job, and there is no "${job}"`);
    return entry;
  }
}
