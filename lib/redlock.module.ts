import { Module, type DynamicModule } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { InvalidOptionsError } from './core/errors/index.js';
import type {
  RedlockModuleAsyncOptions,
  RedlockModuleExtras,
  RedlockModuleOptions,
  RedlockOptions,
  RedlockServer,
} from './interfaces/index.js';
import { refuseUnknown } from './client/options/check.js';
import { toSettings } from './client/options/module-options.js';
import { isClient } from './client/options/servers.js';
import { RedlockEventsModule } from './redlock.events.js';
import { RedlockJobsModule } from './redlock.jobs.js';
import { RedlockExplorer } from './redlock.explorer.js';
import { ConfigurableModuleClass } from './redlock.module-definition.js';
import { RedlockShutdownModule } from './redlock-shutdown.module.js';

/**
 * Import it once, in the root module. It is global unless `isGlobal` is false.
 *
 * @publicApi
 */
@Module({
  imports: [DiscoveryModule, RedlockEventsModule, RedlockJobsModule, RedlockShutdownModule],
  providers: [RedlockExplorer],
})
export class RedlockModule extends ConfigurableModuleClass {
  /**
   * `forRoot(servers, options?)` or `forRoot({ servers, ...options })`. Connects when the application starts; an
   * application starts also while servers are away.
   *
   * @throws InvalidOptionsError at once, before the application is made
   */
  static forRoot(
    servers: RedlockServer | RedlockServer[],
    options?: RedlockOptions & RedlockModuleExtras,
  ): DynamicModule;
  static forRoot(options: RedlockModuleOptions & RedlockModuleExtras): DynamicModule;
  static override forRoot(
    first: RedlockServer | RedlockServer[] | (RedlockModuleOptions & RedlockModuleExtras),
    rest?: RedlockOptions & RedlockModuleExtras,
  ): DynamicModule {
    if ((isModuleOptions(first) && rest !== undefined) || (rest !== undefined && 'servers' in rest)) {
      throw new InvalidOptionsError('options', 'stand in one object with the servers, or after them; got two objects');
    }
    const options = isModuleOptions(first) ? first : { ...rest, servers: first };
    const { isGlobal, name, ...own } = options;
    toSettings(own);
    return super.forRoot({ ...own, ...(isGlobal !== undefined && { isGlobal }), ...(name !== undefined && { name }) });
  }

  /**
   * The same, with options from a factory: `useFactory`, `useClass` or `useExisting`. `name` and `isGlobal` stand beside
   * it.
   *
   * @throws InvalidOptionsError at once for what stands here, and while the application starts for what the factory gives
   */
  static override forRootAsync(options: RedlockModuleAsyncOptions): DynamicModule {
    refuseUnknown('forRootAsync', options, ASYNC);
    if (!(options.useFactory ?? options.useClass ?? options.useExisting))
      throw new InvalidOptionsError('forRootAsync', 'takes useFactory, useClass or useExisting; got none of them');
    return super.forRootAsync(options);
  }
}

/** What Nest takes beside the factory, and what is decided here. All else is what the factory gives. */
const ASYNC = [
  'imports',
  'inject',
  'useFactory',
  'useClass',
  'useExisting',
  'provideInjectionTokensFrom',
  'name',
  'isGlobal',
];

/** An object is one server only if it says where that is. */
function isModuleOptions(value: unknown): value is RedlockModuleOptions & RedlockModuleExtras {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || isClient(value)) return false;
  return (
    'servers' in value || 'shards' in value || !['host', 'port', 'path', 'sentinels'].some((name) => name in value)
  );
}
