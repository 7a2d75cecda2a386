import { Injectable } from '@nestjs/common';
import { refuse } from '../client/options/check.js';
import { InvalidOptionsError } from '../core/errors/index.js';
import { DEFAULT_NAME } from '../redlock.constants.js';
import { AMBIGUOUS_JOB, UNKNOWN_JOB } from '../redlock.messages.js';
import type { RedlockService } from '../redlock.service.js';
import { JobKeepers } from './job-keepers.js';
import type { CronJobLike } from '../decorators/scheduler.js';
import type { Job } from './job.js';

/** All jobs of an application, of all its instances of the module. */
@Injectable()
export class JobCatalog {
  readonly #jobs = new Set<Job>();
  readonly #keepers = new Map<RedlockService, JobKeepers>();

  add(job: Job): void {
    this.#jobs.add(job);
  }

  remove(job: Job): void {
    this.#jobs.delete(job);
    this.#keepers.get(job.service)?.stop(job);
  }

  /** From now on its ticks are watched over, by the timer that it has. */
  mount(job: Job, cron: CronJobLike | undefined): void {
    job.mount(cron);
    // What its calendar must find out once it finds out now: the first tick may be that of hundreds of jobs.
    job.nextAt(Date.now());
    let keepers = this.#keepers.get(job.service);
    if (keepers === undefined) this.#keepers.set(job.service, (keepers = new JobKeepers(job.service)));
    keepers.start(job);
  }

  /** The job of this name that the service locks, or another instance of the module on the same servers, where there is one. */
  of({ place }: RedlockService, name: string): Job | undefined {
    for (const job of this.#jobs) if (job.service.place === place && job.name === name) return job;
    return undefined;
  }

  /** Each job once, also where several hosts of the application run it: of this instance of the module, or of all. */
  list(instance?: string): readonly Job[] {
    const seen = new Map<RedlockService, Set<string>>();
    return [...this.#jobs].filter(({ service, name, method }) => {
      if (instance !== undefined && (method.options.instance ?? DEFAULT_NAME) !== instance) return false;
      const names = seen.get(service) ?? new Set();
      seen.set(service, names);
      return names.size < names.add(name).size;
    });
  }

  /** @throws InvalidOptionsError */
  find(name: string, instance?: string): Job {
    if (typeof name !== 'string') throw refuse('job', 'the name of a job', name);
    const [job, other] = this.list(instance).filter((each) => each.name === name);
    if (job === undefined)
      throw new InvalidOptionsError(
        'job',
        UNKNOWN_JOB(
          name,
          this.list().map((each) => each.name),
        ),
      );
    if (other !== undefined)
      throw new InvalidOptionsError('job', AMBIGUOUS_JOB(name, job.method.label, other.method.label));
    return job;
  }
}
