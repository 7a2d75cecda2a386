import type { InjectionToken, Provider } from '@nestjs/common';
import { Courier } from './core/courier.js';
import type { Quorum } from './core/quorum.js';
import type { GivenClient } from './redis/given-connection.js';
import { GivenConnection } from './redis/given-connection.js';
import type { Connection } from './redis/connection.js';
import { OwnConnection } from './redis/own-connection.js';
import { RedisLockNode } from './redis/redis-lock-node.js';
import type { RedlockModuleOptions } from './interfaces/index.js';
import { toSettings, type Settings } from './input/module-options.js';
import { getRedlockToken, SETTINGS } from './redlock.constants.js';
import { RedlockService } from './redlock.service.js';
import { SystemClock } from './system/system-clock.js';
import { SystemEntropy } from './system/system-entropy.js';

/** What one instance of the module provides, and what of it others may inject. */
export function createInstanceProviders(
  optionsToken: InjectionToken,
  name: string | undefined,
): { providers: Provider[]; exports: InjectionToken[] } {
  const token = getRedlockToken(name);
  return {
    providers: [
      { provide: SETTINGS, useFactory: (options: RedlockModuleOptions) => toSettings(options), inject: [optionsToken] },
      {
        provide: RedlockService,
        useFactory: (settings: Settings) => new RedlockService(settings, createServers(settings)),
        inject: [SETTINGS],
      },
      { provide: token, useExisting: RedlockService },
    ],
    // Only the instance without a name is injected by its class.
    exports: name === undefined ? [RedlockService, token] : [token],
  };
}

/** The servers of an instance: their connections, and the quorum that they form. */
export interface Servers {
  readonly connections: readonly Connection[];
  readonly quorum: Quorum;
}

/** Where options become servers, ports and the algorithm. Opens nothing. */
export function createServers(settings: Settings): Servers {
  const clock = new SystemClock();
  const connections = settings.servers.map((server): Connection => {
    if (server.kind === 'given') return new GivenConnection(server.name, server.client as unknown as GivenClient);
    return new OwnConnection(server.name, server.url, server.options, settings, clock);
  });
  const couriers = connections.map((connection) => {
    return new Courier(new RedisLockNode(connection), clock, settings.maxConcurrency);
  });
  return { connections, quorum: { couriers, clock, entropy: new SystemEntropy(), rules: settings } };
}
