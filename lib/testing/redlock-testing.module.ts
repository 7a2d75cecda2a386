import { Module, type DynamicModule } from '@nestjs/common';
import { InvalidOptionsError } from '../core/errors/index.js';
import { refuse } from '../client/options/check.js';
import type { RedlockModuleExtras, RedlockOptions } from '../interfaces/index.js';
import { REDLOCK_SERVERS } from '../redlock.constants.js';
import { RedlockModule } from '../redlock.module.js';
import { RedlockMemory } from './redlock-memory.js';

/**
 * What `RedlockModule.forRoot` takes, but for the servers.
 *
 * @publicApi
 */
export interface RedlockTestingOptions extends RedlockOptions, RedlockModuleExtras {
  /** Shared by all applications that are given the same one. Default: each application has one of its own. */
  memory?: RedlockMemory;
}

/** What people call the one server. ioredis would take it for a path, but nobody connects. */
const SERVER = { path: 'memory' };

/**
 * `RedlockModule` for tests: the same service, decorators, checks and shutdown, on one server in the memory of this
 * process. Nothing is ever contacted, and nothing is left when the application is closed.
 *
 * Time is that of the process, or that of fake timers, with the defaults of `jest.useFakeTimers()` or `vi.useFakeTimers()`: calls,
 * `app.close()` among them, settle by themselves, and a wait, a ttl or a tick passes with `jest.advanceTimersByTimeAsync`. With
 * `doNotFake: ['performance']` ticks come as the test says, but locks expire by the real clock.
 *
 * @publicApi
 */
@Module({})
export class RedlockTestingModule {
  /**
   * @throws InvalidOptionsError at once, before the application is made; `servers` and `shards` are refused, too
   */
  static forRoot(options: RedlockTestingOptions = {}): DynamicModule {
    if (typeof options !== 'object' || (options as object | null) === null || Array.isArray(options)) {
      throw refuse('options', 'the options of RedlockTestingModule', options);
    }
    const { memory, ...rest } = options;
    for (const option of ['servers', 'shards']) {
      if (option in rest) {
        const what = 'is not an option of RedlockTestingModule, whose one server is in the memory of the process';
        throw new InvalidOptionsError(option, what);
      }
    }
    // Told by its shape, because one process may load this package twice.
    if (memory !== undefined && typeof (memory as RedlockMemory | null)?.toServer !== 'function') {
      throw refuse('memory', 'a RedlockMemory', memory);
    }
    const definition = RedlockModule.forRoot({ ...rest, servers: SERVER });
    const servers = { provide: REDLOCK_SERVERS, useFactory: () => memory ?? new RedlockMemory() };
    // Of two providers of one token Nest takes the last.
    return { ...definition, providers: [...(definition.providers ?? []), servers] };
  }
}
