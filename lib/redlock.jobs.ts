import { Global, Injectable, Module } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { refuseUnknown, toMs, toWhole } from './client/options/check.js';
import { InvalidOptionsError } from './core/errors/index.js';
import { addedJob, type AddedJob, type AddedJobOptions } from './jobs/added-job.js';
import type { Job } from './jobs/job.js';
import { JobCatalog } from './jobs/job-catalog.js';
import { describeJob, toRun, toStatus } from './jobs/job-status.js';
import { checkReason } from './client/jobs/check-reason.js';
import { registerOf, type JobPlace, type JobRegister } from './jobs/register.js';
import { runNow } from './jobs/run-now.js';
import type { Duration, JobRun, JobStatus } from './interfaces/index.js';
import { KEY_CHANGES, KEY_UNKNOWN, NO_REGISTER } from './redlock.messages.js';
import { errorText } from './core/error-text.js';

/** As many runs as the servers keep of a job. */
const HISTORY = 20;

/** Which job, where two instances of the module have one of the same name. */
export interface JobOptions {
  /** The name of the `RedlockModule` that locks it: `'default'` where that has none. Default: any. */
  readonly instance?: string;
}

/**
 * The jobs of this application, of all its `RedlockModule`s: what became of their runs, on whichever replica, and how to pause and run
 * them. Jobs are the scheduled methods with `@WithLock`, and what `add` is called for.
 *
 * A job is found by its name: the option `job`, by default the key; several keys are joined by ", ", in alphabetical order.
 *
 * @throws (all of them) InvalidOptionsError for a job that is not known; it names those that are
 * @publicApi
 */
@Injectable()
export class RedlockJobs {
  readonly #catalog: JobCatalog;
  readonly #modules: ModuleRef;

  constructor(catalog: JobCatalog, modules: ModuleRef) {
    this.#catalog = catalog;
    this.#modules = modules;
  }

  /**
   * All jobs, each as `get` gives it. Settles within the longest `nodeTimeout` of their modules.
   *
   * @param options `instance`: those of this module alone, `'default'` for the one without a name. Default: those of all modules
   */
  async list(options: JobOptions = {}): Promise<JobStatus[]> {
    refuseUnknown('list', options, ['instance']);
    const { instance } = options;
    return await Promise.all(this.#catalog.list(instance).map((job) => this.#statusOf(job)));
  }

  /**
   * The job as it is now: its schedule on this replica, and its last runs as the servers know them. Where no majority of the servers
   * answers within one `nodeTimeout`, `unknown` says why, and what the servers know is missing.
   */
  async get(job: string, options: JobOptions = {}): Promise<JobStatus> {
    refuseUnknown('get', options, ['instance']);
    const { instance } = options;
    return await this.#statusOf(this.#catalog.find(job, instance));
  }

  /**
   * The last runs, the newest first.
   *
   * @param options `limit`: at most so many. Default: 20, which is as many as the servers keep
   * @throws QuorumUnreachableError no majority of the servers answered
   */
  async history(job: string, options: JobOptions & { limit?: number } = {}): Promise<JobRun[]> {
    refuseUnknown('history', options, ['limit', 'instance']);
    const { limit = HISTORY, instance } = options;
    toWhole('limit', limit, { least: 1 });
    const found = this.#catalog.find(job, instance);
    const { runs } = await this.#registerOf(found).read(placeOf(found));
    return runs.slice(0, limit).map((run) => toRun(found.name, run));
  }

  /**
   * From when this returns until the end of the pause no replica begins a run of the job, neither for its schedule nor by hand: calls are skipped, or reject with
   * `LockContendedError`, whose reason is `'paused'`. Runs that go on go on. Survives restarts of replicas. Ticks that fall into the pause are not made up for.
   *
   * @param options `for`: how long. Default: until `resume`. `reason`: for people, at most 200 characters, fewer where they are not ASCII
   * @throws InvalidOptionsError the key of the job has changed from run to run
   * @throws QuorumUnreachableError no majority of the servers answered: it may be paused on some of them
   */
  async pause(job: string, options: JobOptions & { for?: Duration; reason?: string } = {}): Promise<void> {
    refuseUnknown('pause', options, ['for', 'reason', 'instance']);
    const { for: duration, reason, instance } = options;
    const forMs = duration === undefined ? undefined : toMs('for', duration, { least: 1 });
    if (reason !== undefined) checkReason('reason', reason);
    const found = this.#catalog.find(job, instance);
    const state = { ...(forMs !== undefined && { forMs }), ...(reason !== undefined && { reason }) };
    if (found.keyChanges) throw new InvalidOptionsError('job', KEY_CHANGES(found.method.label));
    await this.#registerOf(found).pause(placeOf(found), state);
  }

  /**
   * Ends the pause, on all replicas. The next tick runs.
   *
   * @throws QuorumUnreachableError no majority of the servers answered: it may still be paused
   */
  async resume(job: string, options: JobOptions = {}): Promise<void> {
    refuseUnknown('resume', options, ['instance']);
    const { instance } = options;
    const found = this.#catalog.find(job, instance);
    await this.#registerOf(found).resume(placeOf(found));
  }

  /**
   * Calls the method of the job on this replica, without arguments, under its lock. It counts as no tick. Resolves when the run has ended.
   *
   * @param options `onBegun`: called when the run begins. What this rejects with after that is the error of the run; before, no run began
   * @returns the run: failed, or running, where a decorator above `@WithLock` has kept its error, or has not waited for it
   * @throws the error of the method
   * @throws LockContendedError at once, where a run goes on, or the job is paused
   * @throws QuorumUnreachableError, LockLostError
   */
  async runNow(job: string, options: JobOptions & { onBegun?: () => void } = {}): Promise<JobRun> {
    refuseUnknown('runNow', options, ['instance', 'onBegun']);
    const { instance, onBegun } = options;
    return await runNow(this.#catalog.find(job, instance), onBegun);
  }

  /**
   * Adds a job whose `CronJob` the application has made itself, for the `SchedulerRegistry`:
   *
   * ```ts
   * const cron = new CronJob('0 3 * * *', () => mails.fire());
   * const mails = this.jobs.add('mails', { cron, ttl: '1m', run: () => this.sendMails() });
   * this.schedulerRegistry.addCronJob('mails', cron as never);
   * cron.start();
   * ```
   *
   * @throws InvalidOptionsError for options that are wrong, and for a name that another job has
   */
  add(job: string, options: AddedJobOptions): AddedJob {
    return addedJob(job, options, this.#catalog, this.#modules);
  }

  async #statusOf(job: Job): Promise<JobStatus> {
    try {
      const record = await this.#registerOf(job).read(placeOf(job));
      return toStatus(job, record, Date.now());
    } catch (error) {
      return { ...describeJob(job, Date.now()), unknown: errorText(error) };
    }
  }

  #registerOf({ service, method }: Job): JobRegister {
    const register = registerOf(service);
    if (register === undefined) throw new Error(NO_REGISTER(method.label));
    return register;
  }
}

function placeOf({ place, method }: Job): JobPlace {
  if (place === undefined) throw new Error(KEY_UNKNOWN(method.label));
  return place;
}

/** Nest makes it once, however many instances of the `RedlockModule` there are. */
@Global()
@Module({ providers: [JobCatalog, RedlockJobs], exports: [JobCatalog, RedlockJobs] })
export class RedlockJobsModule {}
