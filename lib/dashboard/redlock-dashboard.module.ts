import { Module, type DynamicModule, type FactoryProvider } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { refuseUnknown } from '../client/options/check.js';
import { RedlockEventsModule } from '../redlock.events.js';
import { RedlockJobsModule } from '../redlock.jobs.js';
import { controllerAt } from './controller.js';
import { Dashboard } from './dashboard.js';
import {
  SETTINGS,
  toPath,
  toSettings,
  type RedlockDashboardAsyncOptions,
  type RedlockDashboardOptions,
} from './options.js';
import type { DashboardRequest } from './request.js';

/**
 * A page that shows the jobs, locks and servers of all `RedlockModule`s of the application, and steers the jobs. Import it once, in
 * the root module of an application on Express or Fastify.
 *
 * @publicApi
 */
@Module({})
export class RedlockDashboardModule {
  /** @throws InvalidOptionsError at once, before the application is made */
  static forRoot<Request = DashboardRequest>(options: RedlockDashboardOptions<Request> = {}): DynamicModule {
    const path = toPath((options as { path?: unknown } | null)?.path);
    const settings = toSettings(path, options);
    return moduleAt(path, { provide: SETTINGS, useFactory: () => settings });
  }

  /**
   * With `authorize` from a factory, which may inject what it needs. `path` stands beside it.
   *
   * @throws InvalidOptionsError at once where the path is wrong or an option stands beside the factory, and while the application starts for what the factory gives
   */
  static forRootAsync<Request = DashboardRequest>(options: RedlockDashboardAsyncOptions<Request>): DynamicModule {
    refuseUnknown('forRootAsync', options, ['imports', 'inject', 'useFactory', 'path']);
    const { imports = [], inject = [], useFactory } = options;
    const path = toPath(options.path);
    const make = useFactory as (...dependencies: unknown[]) => unknown;
    const provider: FactoryProvider = {
      provide: SETTINGS,
      useFactory: async (...dependencies: unknown[]) => toSettings(path, await make(...dependencies)),
      inject,
    };
    return moduleAt(path, provider, imports);
  }
}

function moduleAt(path: string, settings: FactoryProvider, imports: DynamicModule['imports'] = []): DynamicModule {
  return {
    module: RedlockDashboardModule,
    imports: [DiscoveryModule, RedlockEventsModule, RedlockJobsModule, ...imports],
    controllers: [controllerAt(path)],
    providers: [settings, Dashboard],
  };
}
