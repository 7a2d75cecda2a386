import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { DiscoveryService, ModuleRef } from '@nestjs/core';
import { InvalidOptionsError } from './core/errors/index.js';
import { lockedMethodsOf, type LockedMethod } from './decorators/locked-method.js';
import { giveService, servicesOf } from './decorators/services.js';
import { triggerOf } from './decorators/trigger.js';
import { getRedlockToken } from './redlock.constants.js';
import { CANNOT_LOCK, DIFFERENT_SHARDS, NO_MODULE, NO_TICKS, SHARED_TICK } from './redlock.messages.js';
import type { RedlockService } from './redlock.service.js';

/**
 * Audits the decorated methods while the application starts. It never patches one: they lock by themselves, from the
 * first call. What it does is to hand the lock service to hosts that Nest did not make (`useValue`, `useFactory`), which
 * get no property injection, and to fail the boot where a method could not be locked.
 */
@Injectable()
export class RedlockExplorer implements OnModuleInit {
  readonly #logger = new Logger('Redlock');

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly moduleRef: ModuleRef,
  ) {}

  async onModuleInit(): Promise<void> {
    const perTick = new Map<string, Set<string>>();
    for (const wrapper of [...this.discovery.getProviders(), ...this.discovery.getControllers()]) {
      for (const host of hostsOf(wrapper)) {
        for (const method of lockedMethodsOf(host)) {
          this.#checkShards(this.#ensureService(host, method), method);
          await this.#checkSchedule(host, method, perTick);
        }
      }
    }
    for (const [key, methods] of perTick) {
      if (methods.size > 1) this.#logger.warn(SHARED_TICK(key, [...methods]));
    }
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

  async #checkSchedule(host: object, method: LockedMethod, perTick: Map<string, Set<string>>): Promise<void> {
    const { label, key, options } = method;
    const trigger = triggerOf(host, method);
    if (trigger?.kind !== 'cron') {
      if (options.perTick)
        throw new InvalidOptionsError('perTick', CANNOT_LOCK(label, 'it takes a method with @Cron.'));
      return;
    }
    try {
      await trigger.tickOf(Date.now());
    } catch (error) {
      throw new InvalidOptionsError('@Cron', CANNOT_LOCK(label, NO_TICKS(trigger.schedule, error)));
    }
    if (options.perTick === false || typeof key === 'function') return;
    const name = [key].flat().toSorted().join('", "');
    perTick.set(name, (perTick.get(name) ?? new Set()).add(label));
  }
}

/** What of a provider exists by now: Nest keeps a mere prototype in the place of a host that it makes for each request. */
function hostsOf(wrapper: ReturnType<DiscoveryService['getProviders']>[number]): object[] {
  const instances: unknown[] = wrapper.isTransient
    ? wrapper.getStaticTransientInstances().map((each) => each?.instance as unknown)
    : wrapper.isDependencyTreeStatic()
      ? [wrapper.instance]
      : [];
  return instances.filter((each): each is object => typeof each === 'object' && each !== null);
}
