import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleInit } from '@nestjs/common';
import { DiscoveryService, ModuleRef } from '@nestjs/core';
import { DIFFERENT_SHARDS } from './client/messages.js';
import { InvalidOptionsError } from './core/errors/index.js';
import { checkInner, checkTerms, checkTrigger } from './decorators/checks.js';
import { BootReport, overrideOf } from './decorators/boot-report.js';
import { clientOf } from './decorators/delays.js';
import { claimJobName, noteToken, shareJobNames } from './decorators/job-names.js';
import { lockedMethodsOf, locksOfCall, type LockedMethod } from './decorators/locked-method.js';
import { isScheduler, isSchedulerRegistry, watchScheduler, type CronEntry } from './decorators/scheduler.js';
import { giveService, servicesOf } from './decorators/services.js';
import { isScheduled, triggerOf } from './decorators/trigger.js';
import { runAsFiring, type Firing } from './decorators/firing.js';
import { Job } from './jobs/job.js';
import { JobCatalog } from './jobs/job-catalog.js';
import { getRedlockToken } from './redlock.constants.js';
import { BAD_SCHEDULE, CANNOT_LOCK, NO_MODULE, UNKNOWN_SCHEDULER } from './redlock.messages.js';
import type { RedlockService } from './redlock.service.js';

type Provider = ReturnType<DiscoveryService['getProviders']>[number];

/** Of the applications that an explorer has audited. */
const explored = new WeakSet<DiscoveryService>();

/**
 * Audits the decorated methods while the application starts. It never patches one: they lock by themselves, from the
 * first call. What it does is to hand the lock service to hosts that Nest did not make (`useValue`, `useFactory`), which
 * get no property injection, to let the scheduler mark its own calls, and to fail the boot where a method could not be locked.
 */
@Injectable()
export class RedlockExplorer implements OnModuleInit, OnApplicationBootstrap {
  readonly #report = new BootReport(new Logger('Redlock'));
  readonly #jobs: Job[] = [];

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly moduleRef: ModuleRef,
    private readonly catalog: JobCatalog,
  ) {}

  onModuleInit(): void {
    if (!this.#isFirst()) return;
    const seen = new Set<object>();
    for (const provider of [...this.discovery.getProviders(), ...this.discovery.getControllers()]) {
      for (const host of hostsOf(provider)) {
        if (seen.has(host)) continue;
        seen.add(host);
        for (const method of lockedMethodsOf(host)) this.#check(host, provider.token, method);
      }
    }
    this.#shareNames();
    for (const job of this.#jobs) {
      const { key, options } = job.method;
      const name = options.job ?? key;
      if (typeof name !== 'function') claimJobName(job.service, job.method, job, name);
      this.catalog.add(job);
    }
    this.#watchSchedulers();
  }

  /** Hosts are ready now, and their key functions can be asked. */
  onApplicationBootstrap(): void {
    for (const job of this.#jobs) {
      if (typeof job.method.key !== 'function') continue;
      const key = job.askForKey();
      if (key !== undefined && job.method.options.job === undefined) claimJobName(job.service, job.method, job, key);
    }
  }

  /**
   * Where the module is imported several times, under different names, one explorer is enough for all. An application has one
   * `DiscoveryService`. The explorer among its providers is not compared with this one: an `instanceDecorator` puts a Proxy there.
   */
  #isFirst(): boolean {
    if (explored.has(this.discovery)) return false;
    explored.add(this.discovery);
    return true;
  }

  #check(host: object, token: unknown, method: LockedMethod): void {
    const service = this.#ensureService(host, method);
    this.#checkShards(service, method);
    const client = clientOf(service);
    // What an override hides is called through `super` at most, and checked then.
    if (client !== undefined && overrideOf(host, method) === undefined) checkTerms(method, client.settings);
    const isOutermost = locksOfCall(host, method.propertyKey)[0] === method;
    if (!isOutermost) {
      if (overrideOf(host, method) === undefined) checkInner(method);
      return;
    }
    const trigger = triggerOf(host, method);
    checkTrigger(method, trigger);
    this.#report.warnOfWrappers(host, method, trigger);
    if (trigger === undefined) return;
    // An override without a schedule: Nest looks at what the host has under the name, and never calls it.
    if (!isScheduled(host, method.propertyKey)) return;
    noteToken(host, token);
    this.#jobs.push(new Job(host, method, trigger, service, (firing) => callAs(firing, host, method)));
    if (trigger.kind === 'cron') checkDate(method, trigger.schedule.cronTime);
    else if (trigger.kind === 'interval')
      for (const each of locksOfCall(host, method.propertyKey)) this.#report.tellOfTtl(each, service, trigger.everyMs);
  }

  /** The service that this application locks the method with. A constant may have those of others, too. */
  #ensureService(host: object, { label, property, options }: LockedMethod): RedlockService {
    const token = getRedlockToken(options.instance);
    const injected = servicesOf(host, property).find((each) =>
      this.discovery.getProviders().some((wrapper) => wrapper.token === token && wrapper.instance === each),
    );
    if (injected !== undefined) return injected;
    let service: RedlockService;
    try {
      service = this.moduleRef.get<RedlockService>(token, { strict: false });
    } catch {
      throw new Error(CANNOT_LOCK(label, NO_MODULE(options.instance)));
    }
    if (!giveService(host, property, service)) {
      throw new Error(CANNOT_LOCK(label, 'its host is frozen, so that it cannot be given the lock service.'));
    }
    return service;
  }

  /** The keys of a list are known now; those that a function gives are looked at with each call. */
  #checkShards(service: RedlockService, { label, key }: LockedMethod): void {
    if (typeof key === 'function') return;
    // In the tests of an application the service may be a stand-in that can do less.
    const apart = (service as Partial<RedlockService>).apart?.(key);
    if (apart) throw new InvalidOptionsError('key', CANNOT_LOCK(label, DIFFERENT_SHARDS(...apart)));
  }

  #shareNames(): void {
    const first = new Map<string, RedlockService>();
    for (const { service } of this.#jobs) {
      // In the tests of an application the service may be a stand-in that can do less.
      const { place } = service as Partial<RedlockService>;
      if (place === undefined) continue;
      const other = first.get(place);
      if (other === undefined) first.set(place, service);
      else if (other !== service) shareJobNames(service, other);
    }
  }

  #watchSchedulers(): void {
    const instances = this.discovery.getProviders().map(({ instance }) => instance as unknown);
    const objects = instances.filter((each): each is object => typeof each === 'object' && each !== null);
    const schedulers = objects.filter(isScheduler);
    if (schedulers.length === 0 && this.#jobs.length > 0 && objects.some(isSchedulerRegistry)) {
      throw new Error(UNKNOWN_SCHEDULER);
    }
    for (const scheduler of schedulers) {
      watchScheduler(scheduler, {
        onMounted: (entries) => {
          for (const entry of entries) {
            for (const job of this.#jobsOf(entry)) {
              for (const each of locksOfCall(job.host, job.method.propertyKey))
                this.#report.tellOfTtl(each, job.service, entry.ref);
              this.catalog.mount(job, entry.ref);
            }
          }
        },
        toError: (entry, error) => {
          const [job] = this.#jobsOf(entry);
          if (job === undefined) return error;
          return new InvalidOptionsError('@Cron', CANNOT_LOCK(job.method.label, BAD_SCHEDULE(entry.options, error)));
        },
      });
    }
  }

  #jobsOf({ options }: CronEntry): readonly Job[] {
    return this.#jobs.filter(({ trigger }) => trigger.kind === 'cron' && trigger.schedule === options);
  }
}

/** What the host has under the name is called, as the scheduler does it: other decorators may have wrapped the method. */
function callAs(firing: Firing, host: object, { propertyKey }: LockedMethod): unknown {
  return runAsFiring(firing, () => (host as Record<string | symbol, () => unknown>)[propertyKey]?.());
}

/** `cron` would fire it at once. */
function checkDate({ label }: LockedMethod, cronTime: unknown): void {
  if (!(cronTime instanceof Date) || !Number.isNaN(cronTime.getTime())) return;
  throw new InvalidOptionsError('@Cron', CANNOT_LOCK(label, 'its schedule is an invalid Date.'));
}

/** What of a provider exists by now: Nest keeps a mere prototype in the place of a host that it makes for each request. */
function hostsOf(provider: Provider): object[] {
  const instances: unknown[] = provider.isTransient
    ? provider.getStaticTransientInstances().map((each) => each?.instance as unknown)
    : provider.isDependencyTreeStatic()
      ? [provider.instance]
      : [];
  return instances.filter((each): each is object => typeof each === 'object' && each !== null);
}
