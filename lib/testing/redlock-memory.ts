import type { Clock } from '../core/ports/clock.js';
import type { ServerSpec } from '../client/options/servers.js';
import { keyspaceOf } from '../redis/connection.js';
import { RestartGuard } from '../redis/restart-guard.js';
import type { ServerStatus } from '../redis/server-status.js';
import type { ServerContext, ServerFactory } from '../client/server-factory.js';
import type { Server } from '../client/shards.js';
import { SystemClock } from '../system/system-clock.js';
import { MemoryChannels } from './memory-channels.js';
import { MemoryLockNode } from './memory-lock-node.js';
import { MemoryStore } from './memory-store.js';

/**
 * The memory of lock servers that are not there. Applications that share one exclude each other as replicas do that share
 * their Redis servers; others know nothing of each other.
 *
 * Give it to `RedlockTestingModule.forRoot({ memory })`, or put it in the place of the servers of a `RedlockModule`:
 * `Test.createTestingModule({ imports: [AppModule] }).overrideProvider(REDLOCK_SERVERS).useValue(new RedlockMemory())`. Each
 * server in the options is then one of that name in here. As on a Redis, another `db` or `keyPrefix` of ioredis has other keys.
 *
 * @publicApi
 */
export class RedlockMemory implements ServerFactory {
  readonly #number = ++memories;
  readonly #clock = new SystemClock();
  readonly #servers = new Map<string, { readonly store: MemoryStore; readonly channels: MemoryChannels }>();

  /**
   * Forgets every lock, every tick that has run, and the runs and pauses of jobs: for an application that lives through several
   * tests. Who still holds a lock loses it with its next extension, or at the end of its ttl, and until then those who wait for it in the
   * same application go on waiting. Fencing tokens go on from where they were, because rows may have been written under them.
   */
  clear(): void {
    for (const { store } of this.#servers.values()) store.clear();
  }

  /** For the module: a view of the server of this name, where the keys of such a client are. */
  toServer(spec: ServerSpec, { clock }: Pick<ServerContext, 'clock'>): Server {
    const { name } = spec;
    const keyspace = keyspaceOfSpec(spec);
    const { store, channels } = this.#serverOf(`${name}${keyspace}`);
    return {
      connection: {
        name,
        keyspace: `${keyspace} of memory ${this.#number}`,
        close: nothing,
      },
      node: new MemoryLockNode(name, store, channels, this.#clock),
      watch: new MemoryWatch(clock),
      guard: new RestartGuard('off', clock),
      subscriber: { close: nothing },
    };
  }

  #serverOf(place: string): { readonly store: MemoryStore; readonly channels: MemoryChannels } {
    const present = this.#servers.get(place);
    if (present !== undefined) return present;
    const clock = this.#clock;
    const channels = new MemoryChannels();
    const store = new MemoryStore({
      clock,
      tell: (channel) =>
        channels.tell(channel, (deliver) => {
          clock.atEndOfTurn(deliver);
        }),
      // As on a Redis: ahead of what the rows of an earlier run may carry.
      startOfCount: () => Math.floor(clock.wallMs() / MINUTE_MS) * MINUTE_MS * 1000,
    });
    const made = { store, channels };
    this.#servers.set(place, made);
    return made;
  }
}

/** How many memories there are in this process. */
let memories = 0;

const MINUTE_MS = 60_000;

/** A server that is always there. */
class MemoryWatch {
  readonly warnings = [];
  readonly info = undefined;
  readonly status: ServerStatus;

  constructor(clock: Clock) {
    this.status = { state: 'ready', since: new Date(clock.wallMs()) };
  }

  check(): Promise<number> {
    return Promise.resolve(0);
  }
}

/** As the connection reads it that is not made here: from the options or the client. */
function keyspaceOfSpec(spec: ServerSpec): string {
  if (spec.kind === 'own') return keyspaceOf(spec.target());
  const client = spec.client();
  return keyspaceOf('options' in client ? (client.options as Parameters<typeof keyspaceOf>[0]) : {});
}

function nothing(): void {
  // There is no connection to close.
}
