import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { DiscoveryService, ModuleRef } from '@nestjs/core';
import { InvalidOptionsError } from './core/errors/index.js';
import { lockedMethodsOf, type LockedMethod } from './decorators/locked-method.js';
import { triggerOf } from './decorators/trigger.js';
import { getRedlockToken } from './redlock.constants.js';
import { CANNOT_LOCK, NO_MODULE, SHARED_TICK } from './redlock.messages.js';

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
      const instance = wrapper.instance as unknown;
      // Nest keeps a mere prototype in the place of a host that it makes anew for each request.
      if (typeof instance !== 'object' || instance === null || !wrapper.isDependencyTreeStatic()) continue;
      for (const method of lockedMethodsOf(instance)) {
        this.#ensureService(instance, method);
        await this.#checkSchedule(instance, method, perTick);
      }
    }
    for (const [key, methods] of perTick) {
      if (methods.size > 1) this.#logger.warn(SHARED_TICK(key, [...methods]));
    }
  }

  #ensureService(host: object, { label, property, options }: LockedMethod): void {
    if ((host as Record<symbol, unknown>)[property] !== undefined) return;
    let service: unknown;
    try {
      service = this.moduleRef.get<unknown>(getRedlockToken(options.instance), { strict: false });
    } catch {
      throw new Error(CANNOT_LOCK(label, NO_MODULE(options.instance)));
    }
    if (!Reflect.defineProperty(host, property, { value: service, configurable: true, writable: true })) {
      throw new Error(CANNOT_LOCK(label, 'its host is frozen, so that it cannot be given the lock service.'));
    }
  }

  async #checkSchedule(host: object, method: LockedMethod, perTick: Map<string, Set<string>>): Promise<void> {
    const { label, propertyKey, key, options } = method;
    const trigger = triggerOf(host, propertyKey, (host as Record<string | symbol, object>)[propertyKey] ?? {});
    if (trigger?.kind !== 'cron') {
      if (options.perTick)
        throw new InvalidOptionsError('perTick', CANNOT_LOCK(label, 'it takes a method with @Cron.'));
      return;
    }
    if (options.perTick === false) return;
    await trigger.tickOf(Date.now());
    for (const each of typeof key === 'function' ? [] : [key].flat().slice(0, 1)) {
      perTick.set(each, (perTick.get(each) ?? new Set()).add(label));
    }
  }
}
