import { FencingStart } from '../core/fencing-number.js';
import type { Clock } from '../core/ports/clock.js';
import type { Entropy } from '../core/ports/entropy.js';
import { createQuorum } from '../core/quorum.js';
import { shardIdentity } from '../core/shard.js';
import type { Connection, SubscriberConnection } from '../redis/connection.js';
import type { ProvidedClient } from '../redis/provided-client-connection.js';
import { ProvidedClientConnection } from '../redis/provided-client-connection.js';
import { canBeCopied, ProvidedClientSubscriber } from '../redis/provided-client-subscriber.js';
import type { Identities } from '../redis/identities.js';
import { OwnConnection } from '../redis/own-connection.js';
import { ReleaseSubscriber } from '../redis/release-subscriber.js';
import { RedisLockNode } from '../redis/redis-lock-node.js';
import { RestartGuard } from '../redis/restart-guard.js';
import { ServerGroup } from '../redis/server-group.js';
import { ServerWatch } from '../redis/server-watch.js';
import { SystemClock } from '../system/system-clock.js';
import { SystemEntropy } from '../system/system-entropy.js';
import type { EventSource } from './event-source.js';
import { counterKey, markerKey, trialKey } from './keys.js';
import type { Settings } from './options/module-options.js';
import type { ServerSpec, Target } from './options/servers.js';
import { serverEvents } from './server-events.js';
import { Shards, type Server, type Shard } from './shards.js';

/** Time and chance of one process. */
export interface Ports {
  readonly clock: Clock;
  readonly entropy: Entropy;
}

/** What the servers of one shard have in common. */
export interface ServerContext extends Ports {
  readonly settings: Settings;
  readonly identities: Identities;
  readonly group: ServerGroup;
}

/** What makes the servers of a client: {@link redisServers}, or the memory of an application's tests. */
export interface ServerFactory {
  /** Opens nothing. */
  toServer(spec: ServerSpec, context: ServerContext): Server;
}

/** What makes connections to Redis: ioredis, or the simulated network. */
export interface ConnectionFactory {
  /** Opens nothing. */
  connect(spec: ServerSpec, context: ServerContext): Connection;
  /** Another connection to the same server, for Pub/Sub; undefined where there cannot be one. */
  subscribe(spec: ServerSpec, context: ServerContext): SubscriberConnection | undefined;
}

/** The shards of a client: its servers, ports and the algorithm. Opens nothing. */
export function createShards(
  settings: Settings,
  factory: ServerFactory,
  events?: EventSource,
  { clock, entropy }: Ports = { clock: new SystemClock(), entropy: new SystemEntropy() },
): Shards {
  // Of all shards together: a server in two of them is one server whose end both would feel.
  const identities: Identities = new Map();
  const fencingStart = new FencingStart(clock);
  const list = settings.shards.map((specs, index): Shard => {
    const group = new ServerGroup(clock, serverEvents(events, settings.sharded ? index : undefined));
    const servers = specs.map((spec) => factory.toServer(spec, { settings, clock, entropy, identities, group }));
    const nodes = servers.map(({ node }) => node);
    const quorum = createQuorum(nodes, { clock, entropy, rules: settings, fencingStart }, settings.maxConcurrency);
    return { identity: shardIdentity(specs.map(({ name }) => name)), servers, quorum };
  });
  return new Shards(list, clock, settings.sharded);
}

/** Servers that speak Redis' protocol. */
export function redisServers(connections: ConnectionFactory = IOREDIS): ServerFactory {
  return {
    toServer(spec, context) {
      const { settings, clock, entropy, identities, group } = context;
      const connection = connections.connect(spec, context);
      const subscriber = new ReleaseSubscriber(() => connections.subscribe(spec, context));
      const guard = new RestartGuard(settings.restartGuard, clock);
      const watch = new ServerWatch(connection, { guard, identities, group, clock });
      const trial = trialKey(settings.keyPrefix);
      const guarded = settings.restartGuard !== 'off' && !connection.clustered;
      const node = new RedisLockNode(connection, {
        guard,
        watch,
        subscriber,
        markerKey: guarded ? markerKey(settings.keyPrefix) : undefined,
        newMarker: () => entropy.token(),
        trial: { key: trial, counter: settings.fencing ? counterKey(trial) : undefined },
      });
      return { connection, place: spec.place, node, watch, guard, subscriber };
    },
  };
}

const IOREDIS: ConnectionFactory = {
  connect(spec, context) {
    if (spec.kind === 'own') return own(spec.name, spec.target, context);
    return new ProvidedClientConnection(spec.name, spec.client() as unknown as ProvidedClient, context.clock);
  },
  subscribe(spec, context) {
    if (spec.kind === 'own') return own(spec.name, spec.target, context);
    const client = spec.client();
    return canBeCopied(client) ? new ProvidedClientSubscriber(spec.name, client, context.clock) : undefined;
  },
};

function own(name: string, target: Target, { settings, clock, entropy }: ServerContext): OwnConnection {
  return new OwnConnection(name, target, settings, clock, () => entropy.random());
}
