import { Logger, type InjectionToken, type Provider } from '@nestjs/common';
import { FencingStart } from './core/fencing-number.js';
import type { Clock } from './core/ports/clock.js';
import type { Entropy } from './core/ports/entropy.js';
import { createQuorum } from './core/quorum.js';
import { shardIdentity } from './core/shard.js';
import type { GivenClient } from './redis/given-connection.js';
import { GivenConnection } from './redis/given-connection.js';
import { canBeCopied, GivenSubscriber } from './redis/given-subscriber.js';
import type { Identities } from './redis/identities.js';
import { OwnConnection } from './redis/own-connection.js';
import { Receiver } from './redis/receiver.js';
import { RedisLockNode } from './redis/redis-lock-node.js';
import { RestartGuard } from './redis/restart-guard.js';
import { ServerGroup } from './redis/server-group.js';
import { ServerWatch } from './redis/server-watch.js';
import type { RedlockModuleOptions } from './interfaces/index.js';
import { toSettings, type Settings } from './client/options/module-options.js';
import type { ServerSpec, Target } from './client/options/servers.js';
import { getRedlockToken, REDLOCK_SERVERS, SETTINGS } from './redlock.constants.js';
import { counterKey, markerKey, trialKey } from './client/keys.js';
import { CONTEXT } from './redlock.messages.js';
import { RedlockService } from './redlock.service.js';
import { Shards, type Server, type Shard } from './client/shards.js';
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
      { provide: REDLOCK_SERVERS, useValue: REDIS },
      {
        // By its class only the instance without a name is to be had, also with `app.get`.
        provide: name === undefined ? RedlockService : token,
        useFactory: (settings: Settings, source: ServerSource) =>
          new RedlockService(settings, createShards(settings, source, name), name),
        inject: [SETTINGS, REDLOCK_SERVERS],
      },
      ...(name === undefined ? [{ provide: token, useExisting: RedlockService }] : []),
    ],
    exports: name === undefined ? [RedlockService, token] : [token],
  };
}

/** Where options become servers, ports and the algorithm. Opens nothing. */
export function createShards(settings: Settings, source: ServerSource = REDIS, name?: string): Shards {
  const clock = new SystemClock();
  const entropy = new SystemEntropy();
  // Of all shards together: a server in two of them is one server whose end both would feel.
  const identities: Identities = new Map();
  const fencingStart = new FencingStart(clock);
  const logger = new Logger(CONTEXT(name));
  const list = settings.shards.map((specs): Shard => {
    const group = new ServerGroup(clock, (line, level) => {
      logger[level](line);
    });
    const servers = specs.map((spec) => source.toServer(spec, { settings, clock, entropy, identities, group }));
    const nodes = servers.map(({ node }) => node);
    const quorum = createQuorum(nodes, { clock, entropy, rules: settings, fencingStart }, settings.maxConcurrency);
    return { identity: shardIdentity(specs.map(({ name }) => name)), servers, quorum };
  });
  return new Shards(list, clock, settings.sharded);
}

/** What the servers of one instance have in common. */
export interface Surroundings {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly identities: Identities;
  /** Of the servers of one shard. */
  readonly group: ServerGroup;
}

/** Where servers come from: connections to Redis, or the memory of an application's tests. */
export interface ServerSource {
  /** Opens nothing. */
  toServer(spec: ServerSpec, surroundings: Surroundings): Server;
}

const REDIS: ServerSource = {
  toServer(spec, { settings, clock, entropy, identities, group }) {
    const own = (target: Target): OwnConnection =>
      new OwnConnection(spec.name, target, settings, clock, () => entropy.random());
    const connection =
      spec.kind === 'given'
        ? new GivenConnection(spec.name, spec.client() as unknown as GivenClient, clock)
        : own(spec.target);
    const receiver = new Receiver(() => {
      if (spec.kind === 'own') return own(spec.target);
      const client = spec.client();
      return canBeCopied(client) ? new GivenSubscriber(spec.name, client, clock) : undefined;
    });
    const guard = new RestartGuard(settings.restartGuard, clock);
    const watch = new ServerWatch(connection, { guard, identities, group, clock });
    const trial = trialKey(settings.keyPrefix);
    const guarded = settings.restartGuard !== 'off' && !connection.clustered;
    const node = new RedisLockNode(connection, {
      guard,
      watch,
      receiver,
      markerKey: guarded ? markerKey(settings.keyPrefix) : undefined,
      newMarker: () => entropy.token(),
      trial: { key: trial, counter: settings.fencing ? counterKey(trial) : undefined },
    });
    return { connection, node, watch, guard, receiver };
  },
};
