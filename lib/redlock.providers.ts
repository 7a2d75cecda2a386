import type { InjectionToken, Provider } from '@nestjs/common';
import { LockClient } from './client/lock-client.js';
import { toSettings, type Settings } from './client/options/module-options.js';
import { createShards, redisServers, type ServerFactory } from './client/server-factory.js';
import type { RedlockModuleOptions } from './interfaces/index.js';
import { getRedlockToken, REDLOCK_SERVERS, SETTINGS } from './redlock.constants.js';
import { RedlockEvents } from './redlock.events.js';
import { RedlockService } from './redlock.service.js';

/** What one instance of the module provides, and what of it others may inject. */
export function createInstanceProviders(
  optionsToken: InjectionToken,
  name: string | undefined,
): { providers: Provider[]; exports: InjectionToken[] } {
  const token = getRedlockToken(name);
  return {
    providers: [
      { provide: SETTINGS, useFactory: (options: RedlockModuleOptions) => toSettings(options), inject: [optionsToken] },
      { provide: REDLOCK_SERVERS, useFactory: redisServers },
      {
        // By its class only the instance without a name is to be had, also with `app.get`.
        provide: name === undefined ? RedlockService : token,
        useFactory: (settings: Settings, servers: ServerFactory, all: RedlockEvents) => {
          const events = all.sourceFor(name);
          return new RedlockService(new LockClient(settings, createShards(settings, servers, events), events));
        },
        inject: [SETTINGS, REDLOCK_SERVERS, RedlockEvents],
      },
      ...(name === undefined ? [{ provide: token, useExisting: RedlockService }] : []),
    ],
    exports: name === undefined ? [RedlockService, token] : [token],
  };
}
