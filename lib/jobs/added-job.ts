import type { ModuleRef } from '@nestjs/core';
import { InvalidOptionsError } from '../core/errors/index.js';
import { DIFFERENT_SHARDS } from '../client/messages.js';
import { checkDecoratorOptions, given } from '../client/options/acquire-options.js';
import { refuse, refuseUnknown, toKeys, toTtlMs } from '../client/options/check.js';
import { clientOf } from '../decorators/delays.js';
import { newMoment, type Firing } from '../decorators/firing.js';
import { claimJobName, releaseJobNames } from '../decorators/job-names.js';
import type { LockedMethod } from '../decorators/locked-method.js';
import { isOneOff } from '../decorators/one-off.js';
import { runFiring } from '../decorators/scheduled-run.js';
import type { CronJobLike } from '../decorators/scheduler.js';
import { giveService } from '../decorators/services.js';
import type { Trigger } from '../decorators/trigger.js';
import type { Duration, WithLockOptions } from '../interfaces/index.js';
import { getRedlockToken } from '../redlock.constants.js';
import { NO_MODULE, SAME_JOB } from '../redlock.messages.js';
import type { RedlockService } from '../redlock.service.js';
import { Job } from './job.js';
import type { JobCatalog } from './job-catalog.js';
import { logFailure } from './log-failure.js';

/** What a job that is added by hand is. The last five are as in `@WithLock`. */
export interface AddedJobOptions extends Pick<
  WithLockOptions,
  'instance' | 'catchUp' | 'onCrash' | 'spread' | 'jitter'
> {
  /** What is locked. Default: the name of the job. */
  readonly key?: string | string[];
  /** Default: the `ttl` of the module. */
  readonly ttl?: Duration;
  /** The `CronJob`: its times are the ticks. */
  readonly cron: CronJobLike;
  /** The work, without the lock: it runs under it. */
  readonly run: () => Promise<unknown>;
  /** What people call the work, in logs and events. Default: the name of the job. */
  readonly method?: string;
}

/** A job that was added by hand. */
export interface AddedJob {
  /**
   * What the `CronJob` calls when its time has come: runs the tick, on one of all replicas. The others skip it. Resolves when the run has
   * ended, and never rejects, because `cron` takes no rejection: the error of the work, or that no majority of the servers was there, goes
   * to the log, as that of a `@Cron` method does.
   */
  fire(): Promise<void>;
  /** The job is not known any more. Its `CronJob` is the caller's to stop. */
  remove(): void;
}

const OPTIONS = ['key', 'ttl', 'cron', 'run', 'method', 'instance', 'catchUp', 'onCrash', 'spread', 'jitter'];

export function addedJob(name: string, options: AddedJobOptions, catalog: JobCatalog, modules: ModuleRef): AddedJob {
  refuseUnknown('jobs.add', options, OPTIONS);
  const { cron, run, key = name, ttl, method: label = name, instance, ...timing } = given(options);
  if (typeof run !== 'function') throw refuse('run', 'a function', run);
  if (typeof (cron as Partial<CronJobLike> | undefined)?.cronTime !== 'object') throw refuse('cron', 'a CronJob', cron);
  toKeys(key);
  const lockOptions = { ...timing, ...(instance !== undefined && { instance }), job: name };
  checkDecoratorOptions(lockOptions);

  const service = serviceFor(instance, modules);
  if (ttl !== undefined) toTtlMs(ttl, clientOf(service)?.settings.driftFactor ?? 0);
  const apart = (service as Partial<RedlockService>).apart?.(key);
  if (apart) throw new InvalidOptionsError('key', DIFFERENT_SHARDS(...apart));
  const other = catalog.of(service, name);
  if (other !== undefined) throw new InvalidOptionsError('job', SAME_JOB(name, other.method.label, label));
  const host = {};
  const method = methodFor(host, { label, key, ttl, options: lockOptions });
  giveService(host, method.property, service);
  claimJobName(service, method, { host }, name);
  const schedule = { cronTime: cron.cronTime.source };
  const call = (firing: Firing): Promise<unknown> => runFiring(service, firing, method, { host, args: [], work: run });
  const trigger: Trigger = { kind: 'cron', schedule };
  const job = new Job(host, method, trigger, service, call);
  catalog.add(job);
  catalog.mount(job, cron);
  return {
    fire: async () => {
      if (isOneOff()) return;
      try {
        await call({ ...newMoment(), kind: 'cron', schedule, cronTime: cron.cronTime });
      } catch (error) {
        logFailure(method, error);
      }
    },
    remove: () => {
      catalog.remove(job);
      releaseJobNames(service, host);
    },
  };
}

function methodFor(host: object, about: Pick<LockedMethod, 'label' | 'key' | 'ttl' | 'options'>): LockedMethod {
  const property = Symbol(`lock of ${about.label}`);
  return { ...about, prototype: host, property, propertyKey: 'run', wrapper: host };
}

function serviceFor(instance: string | undefined, modules: ModuleRef): RedlockService {
  try {
    return modules.get<RedlockService>(getRedlockToken(instance), { strict: false });
  } catch {
    throw new InvalidOptionsError('instance', NO_MODULE(instance));
  }
}
