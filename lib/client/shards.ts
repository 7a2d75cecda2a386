import { InvalidOptionsError } from '../core/errors/index.js';
import type { Clock } from '../core/ports/clock.js';
import type { LockNode } from '../core/ports/lock-node.js';
import type { Quorum } from '../core/quorum.js';
import { shardOf } from '../core/shard.js';
import type { Connection } from '../redis/connection.js';
import type { ReleaseSubscriber } from '../redis/release-subscriber.js';
import type { RestartGuard } from '../redis/restart-guard.js';
import type { ServerWarning } from '../redis/server-status.js';
import type { ServerWatch } from '../redis/server-watch.js';
import { shardKey } from './keys.js';
import { DIFFERENT_SHARDS } from './messages.js';

/** One server, with what this process must know of it. No more than that, because not every one is a Redis. */
export interface Server {
  /** A server in the memory of a test takes no commands. */
  readonly connection: Pick<Connection, 'name' | 'keyspace' | 'close'> &
    Partial<Pick<Connection, 'send' | 'clustered'>>;
  /** What tells it from other servers. Default: its name. */
  readonly place?: string;
  /** With what of its data should be mended by hand. */
  readonly node: LockNode & { readonly warnings?: readonly ServerWarning[] };
  readonly watch: Pick<ServerWatch, 'status' | 'warnings' | 'info' | 'check'>;
  readonly guard: RestartGuard;
  readonly subscriber: Pick<ReleaseSubscriber, 'close'>;
}

/** The connection of a server that takes commands, as a Redis does. */
export function redisOf({ connection }: Server): Pick<Connection, 'send'> {
  if ('send' in connection) return connection as Pick<Connection, 'send'>;
  throw new Error(`${connection.name} is not a Redis server`);
}

/** Servers that are asked together, and the quorum that they form. */
export interface Shard {
  readonly identity: string;
  readonly servers: readonly Server[];
  readonly quorum: Quorum;
}

/** The shards of an instance: one for `servers`. Each works, and fails, by itself. */
export class Shards {
  readonly #identities: readonly string[];

  constructor(
    readonly list: readonly Shard[],
    readonly clock: Clock,
    /** Whether the user knows of shards. */
    readonly named: boolean,
  ) {
    this.#identities = list.map(({ identity }) => identity);
  }

  get servers(): readonly Server[] {
    return this.list.flatMap(({ servers }) => servers);
  }

  /** The quorum that these keys are locked on. Throws an InvalidOptionsError where no single one has them all. */
  quorumOf(keys: readonly string[]): Quorum {
    const apart = this.list.length === 1 ? undefined : this.apart(keys);
    if (apart !== undefined) throw new InvalidOptionsError('key', DIFFERENT_SHARDS(...apart));
    const shard = this.list[this.#indexOf(keys[0] ?? '')];
    if (shard === undefined) throw new Error('A module has at least one shard.');
    return shard.quorum;
  }

  /** Two of the keys that belong to different shards, if there are such. */
  apart(keys: readonly string[]): readonly [string, string] | undefined {
    const [first = '', ...others] = keys;
    const other = others.find((each) => this.#indexOf(each) !== this.#indexOf(first));
    return other === undefined ? undefined : [first, other];
  }

  /** The servers, and what of them the keys are in: the same for all instances that share their locks, apart from the prefix. */
  get place(): string {
    const places = this.servers.map(({ place, connection: { name, keyspace } }) => [place ?? name, keyspace]);
    return JSON.stringify(places.sort());
  }

  /** Ends all connections that were made here. */
  close(): void {
    for (const { connection, subscriber } of this.servers) {
      connection.close();
      subscriber.close();
    }
  }

  #indexOf(key: string): number {
    if (this.list.length === 1) return 0;
    return shardOf(shardKey(key), this.#identities);
  }
}
