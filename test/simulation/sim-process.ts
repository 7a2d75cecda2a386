import { FencingStart } from '../../lib/core/fencing-number.js';
import type { Entropy } from '../../lib/core/ports/entropy.js';
import { createQuorum, type Quorum } from '../../lib/core/quorum.js';
import { LockClient } from '../../lib/client/lock-client.js';
import { toSettings, type Settings } from '../../lib/client/options/module-options.js';
import type { RedlockOptions } from '../../lib/interfaces/index.js';
import { Receiver } from '../../lib/redis/receiver.js';
import { RedisLockNode } from '../../lib/redis/redis-lock-node.js';
import { RestartGuard } from '../../lib/redis/restart-guard.js';
import type { Identities } from '../../lib/redis/identities.js';
import { ServerGroup } from '../../lib/redis/server-group.js';
import { ServerWatch } from '../../lib/redis/server-watch.js';
import { markerKey, trialKey } from '../../lib/client/keys.js';
import { Shards, type Server } from '../../lib/client/shards.js';
import type { Chance } from './chance.js';
import type { Machine } from './machine.js';
import type { Link } from './network.js';
import { SimConnection } from './sim-connection.js';

/** One process with this package in it: all of the production code but Nest and ioredis, on a simulated machine. */
export class SimProcess {
  readonly settings: Settings;
  readonly servers: readonly Server[];
  readonly quorum: Quorum;
  readonly locks: LockClient;
  readonly #connections: SimConnection[] = [];

  constructor(
    readonly machine: Machine,
    readonly links: readonly Link[],
    options: RedlockOptions,
    chance: Chance,
  ) {
    const servers = links.map(({ server }) => `server-${server.model.number}:6379`);
    this.settings = toSettings({ ...options, servers, owner: machine.name });
    const identities: Identities = new Map();
    const entropy = new SeededEntropy(machine.name, chance);
    this.servers = links.map((link) => this.#serverAt(link, entropy, identities));
    const nodes = this.servers.map(({ node }) => node);
    const [rules, fencingStart] = [this.settings, new FencingStart(machine)];
    this.quorum = createQuorum(nodes, { clock: machine, entropy, rules, fencingStart }, rules.maxConcurrency);
    const shard = { identity: 'all', servers: this.servers, quorum: this.quorum };
    this.locks = new LockClient(this.settings, new Shards([shard], machine, false));
  }

  get name(): string {
    return this.machine.name;
  }

  get connections(): readonly SimConnection[] {
    return this.#connections;
  }

  /** As the module does when the application starts. */
  boot(): void {
    for (const { node } of this.servers) node.reach();
  }

  /** As the module does when the application ends, but for the work, which is not waited for. */
  async shutDown(): Promise<void> {
    this.locks.close();
    await this.locks.giveUp();
    for (const connection of this.#connections) connection.close();
  }

  /** The process is gone, and its machine tells the servers so. */
  kill(isLost: boolean): void {
    this.machine.kill();
    for (const connection of this.#connections) connection.drop(isLost);
  }

  /** As `createShards` in lib/redlock.providers.ts. */
  #serverAt(link: Link, entropy: Entropy, identities: Identities): Server {
    const { machine: clock, settings } = this;
    const connect = (): SimConnection => {
      const connection = new SimConnection(link, settings, clock);
      this.#connections.push(connection);
      return connection;
    };
    const connection = connect();
    const receiver = new Receiver(connect);
    const guard = new RestartGuard(settings.restartGuard, clock);
    const group = new ServerGroup(clock, () => undefined);
    const watch = new ServerWatch(connection, { guard, identities, group, clock });
    const guarded = settings.restartGuard !== 'off';
    const node = new RedisLockNode(connection, {
      guard,
      watch,
      receiver,
      markerKey: guarded ? markerKey(settings.keyPrefix) : undefined,
      newMarker: () => entropy.token(),
      trial: { key: trialKey(settings.keyPrefix) },
    });
    return { connection, node, watch, guard, receiver };
  }
}

/** Tokens that begin with chance, because contenders compare them. */
class SeededEntropy implements Entropy {
  #tokens = 0;

  constructor(
    private readonly name: string,
    private readonly chance: Chance,
  ) {}

  token(): string {
    return `${this.chance.whole(1e8, 1e9)}-${this.name}-${this.#tokens++}`;
  }

  random(): number {
    return this.chance.next();
  }
}
