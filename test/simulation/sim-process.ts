import { EventSource } from '../../lib/client/event-source.js';
import { LockClient } from '../../lib/client/lock-client.js';
import { toSettings, type Settings } from '../../lib/client/options/module-options.js';
import type { ServerSpec } from '../../lib/client/options/servers.js';
import { createShards, redisServers, type ConnectionFactory } from '../../lib/client/server-factory.js';
import type { Server } from '../../lib/client/shards.js';
import type { Entropy } from '../../lib/core/ports/entropy.js';
import type { Quorum } from '../../lib/core/quorum.js';
import type { RedlockOptions } from '../../lib/interfaces/index.js';
import { COUNTED_EVENTS, type CountedEvent } from '../history/events.js';
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
  /** How often it has emitted each event of its locks. */
  readonly emitted: Record<CountedEvent, number> = { acquired: 0, contended: 0, unreachable: 0, lost: 0 };
  readonly #connections: SimConnection[] = [];

  constructor(
    readonly machine: Machine,
    readonly links: readonly Link[],
    options: RedlockOptions,
    chance: Chance,
  ) {
    const servers = links.map(({ server }) => `server-${server.model.number}:6379`);
    this.settings = toSettings({ ...options, servers, owner: machine.name });
    const entropy = new SeededEntropy(machine.name, chance);
    const shards = createShards(this.settings, redisServers(this.#network(links)), undefined, {
      clock: machine,
      entropy,
    });
    const [shard] = shards.list;
    if (shard === undefined) throw new Error('There is one shard.');
    this.servers = shard.servers;
    this.quorum = shard.quorum;
    const events = new EventSource();
    for (const name of COUNTED_EVENTS) events.on(name, () => this.emitted[name]++);
    this.locks = new LockClient(this.settings, shards, events);
  }

  get name(): string {
    return this.machine.name;
  }

  get connections(): readonly SimConnection[] {
    return this.#connections;
  }

  /** As the module does when the application starts. */
  boot(): void {
    for (const { node } of this.servers) node.ensureConnected();
  }

  /** As the module does when the application ends, but for the work, which is not waited for. */
  async shutDown(): Promise<void> {
    await this.locks.close(0);
    for (const connection of this.#connections) connection.close();
  }

  /** The process is gone, and its machine tells the servers so. */
  kill(isLost: boolean): void {
    this.machine.kill();
    for (const connection of this.#connections) connection.drop(isLost);
  }

  /** The one thing that is not what ships: connections over a network that is simulated. */
  #network(links: readonly Link[]): ConnectionFactory {
    const connect = ({ name }: ServerSpec): SimConnection => {
      const link = links.find(({ server }) => name === `server-${server.model.number}:6379`);
      if (link === undefined) throw new Error(`There is no server ${name}.`);
      const connection = new SimConnection(link, this.settings, this.machine);
      this.#connections.push(connection);
      return connection;
    };
    return { connect, subscribe: connect };
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
