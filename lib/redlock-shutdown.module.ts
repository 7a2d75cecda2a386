import { Module, type DynamicModule, type OnModuleDestroy } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { InvalidOptionsError } from './core/errors/index.js';
import { isServiceToken, nameOfToken } from './redlock.constants.js';
import { REGISTERED_TWICE } from './redlock.messages.js';

type ModuleRef = ModulesContainer extends Map<string, infer M> ? M : never;

/** A service that waits for its work, as {@link RedlockShutdownModule} finds it among the providers. */
interface Draining {
  drain(): Promise<void>;
}

/**
 * Comes first when the application closes. Nest calls the hooks of its modules in the order of their distance from the root module,
 * the smallest first, and those of global modules last: what closes in `onModuleDestroy` (a database, as in the documentation of
 * Nest) would be gone before the locked work that uses it has ended. This module has a distance of its own below all others, and
 * waits for the locked work of all instances of the application.
 *
 * It also comes last when the application starts. So what must be known before any hook is looked at in its constructor.
 */
@Module({})
export class RedlockShutdownModule implements OnModuleDestroy {
  readonly #modules: readonly ModuleRef[];

  constructor(modules: ModulesContainer) {
    this.#modules = [...modules.values()];
    for (const module of this.#modules) if (module.metatype === RedlockShutdownModule) module.distance = -1;
    this.#refuseTwins();
  }

  async onModuleDestroy(): Promise<void> {
    const services = new Set<Draining>();
    for (const { providers } of this.#modules) {
      for (const [token, { instance }] of providers) {
        const service = instance as Partial<Draining> | undefined;
        if (isServiceToken(token) && typeof service?.drain === 'function') services.add(service as Draining);
      }
    }
    await Promise.all([...services].map((service) => service.drain()));
  }

  /** Two services of one name in one application would wait for each other's locks. */
  #refuseTwins(): void {
    const seen = new Set<symbol>();
    for (const { providers } of this.#modules) {
      for (const token of providers.keys()) {
        if (!isServiceToken(token)) continue;
        if (seen.has(token)) {
          throw new InvalidOptionsError('name', REGISTERED_TWICE(nameOfToken(token), this.#importersOf(token)));
        }
        seen.add(token);
      }
    }
  }

  /** By what the classes say: Nest makes a global module an import of all modules. */
  #importersOf(token: symbol): readonly string[] {
    const provides = (each: Partial<DynamicModule> | undefined): boolean =>
      each?.providers?.some((provider) => 'provide' in provider && provider.provide === token) === true;
    return this.#modules.flatMap(({ metatype, name }) => {
      const imports = (Reflect.getMetadata('imports', metatype) ?? []) as (Partial<DynamicModule> | undefined)[];
      return imports.filter(provides).map(() => name);
    });
  }
}
