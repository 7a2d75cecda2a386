import { setTimeout as sleep } from 'node:timers/promises';
import { toSettings } from '../client/options/module-options.js';
import { createShards, redisServers } from '../client/server-factory.js';
import { redisOf, type Server } from '../client/shards.js';
import type { LockNode } from '../core/ports/lock-node.js';
import { call } from '../redis/connection.js';
import type { ContractNode } from './probe.js';

const CONNECT_TIMEOUT_MS = 5000;
const PAUSE_MS = 10;

/** In a list, because the connection refuses a reply that no lock gets, such as a number. */
const SIZE = "return {redis.call('DBSIZE')}";

/**
 * A server that speaks Redis' protocol, for `lockNodeContract`: the production lock node, over connections of its own.
 *
 * ```ts
 * const server = new RedisContractServer('redis://localhost:6379/15');
 * for (const { name, run } of lockNodeContract(() => server.empty())) it(name, run);
 * ```
 *
 * The cases flush the database of the URL. A database that is not empty at the beginning is refused.
 *
 * @publicApi
 */
export class RedisContractServer {
  readonly #url: string;
  #opened: Promise<Opened> | undefined;

  /** Opens nothing. */
  constructor(url: string) {
    this.#url = url;
  }

  /** The node with an empty database. The first call connects, for 5 s at most. */
  async empty(): Promise<ContractNode> {
    this.#opened ??= open(this.#url);
    const { server, flush } = await this.#opened;
    await flush();
    return { node: server.node, pass: (ms) => sleep(ms), flush };
  }

  /** Closes the connections, so that nothing keeps the process alive. */
  async close(): Promise<void> {
    const opened = await this.#opened?.catch(() => undefined);
    opened?.close();
  }
}

interface Opened {
  readonly server: Server;
  readonly flush: () => Promise<void>;
  readonly close: () => void;
}

async function open(url: string): Promise<Opened> {
  const settings = toSettings({ servers: url, restartGuard: 'off' });
  const shards = createShards(settings, redisServers());
  const close = (): void => {
    shards.close();
  };
  try {
    const [server] = shards.servers;
    if (server === undefined) throw new Error('The contract takes the URL of one server.');
    await ready(server.node);
    const [size = 0] = (await call(redisOf(server), 'eval', [SIZE, 0])) as number[];
    if (size > 0)
      throw new Error(`The database has ${size} keys, and the contract would flush them: name an empty one.`);
    const flush = async (): Promise<void> => {
      await call(redisOf(server), 'flushdb', []);
    };
    return { server, flush, close };
  } catch (error) {
    close();
    throw error;
  }
}

async function ready(node: LockNode): Promise<void> {
  const endMs = performance.now() + CONNECT_TIMEOUT_MS;
  for (;;) {
    const state = node.ensureConnected();
    if (state.status === 'ready') return;
    if (performance.now() > endMs) {
      const cause = state.status === 'down' ? state.cause.message : 'still connecting';
      throw new Error(`The server was not ready within ${CONNECT_TIMEOUT_MS} ms: ${cause}`);
    }
    await sleep(PAUSE_MS);
  }
}
