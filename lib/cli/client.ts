import { hostname } from 'node:os';
import type { RedisOptions } from 'ioredis';
import { EventSource } from '../client/event-source.js';
import { LockClient } from '../client/lock-client.js';
import { toSettings } from '../client/options/module-options.js';
import { createShards, redisServers } from '../client/server-factory.js';
import { untilOver } from '../core/wait.js';

interface ClientOptions {
  readonly prefix: string;
  readonly timeoutMs: number;
}

/** Runs a command with a lock client of the module, and closes the connections at the end. */
export async function withClient<T>(
  targets: readonly RedisOptions[],
  { prefix, timeoutMs }: ClientOptions,
  use: (client: LockClient) => Promise<T>,
): Promise<T> {
  const events = new EventSource();
  const settings = toSettings({
    servers: [...targets],
    keyPrefix: prefix,
    nodeTimeout: timeoutMs,
    owner: `redlock-nestjs@${hostname()}:${process.pid}`.slice(0, 200),
    // The guard would write its marker, and this process holds no lock that a server may have forgotten.
    restartGuard: 'off',
  });
  const client = new LockClient(settings, createShards(settings, redisServers(), events), events);
  try {
    await connected(client, events, timeoutMs);
    return await use(client);
  } finally {
    await client.close(0);
  }
}

/** Waits until the first connection to each server has had an outcome, for the timeout at most. */
async function connected(client: LockClient, events: EventSource, timeoutMs: number): Promise<void> {
  const { servers, clock } = client.shards;
  await untilOver<true>(clock, timeoutMs, undefined, (resolve) => {
    const look = (): void => {
      if (servers.every(({ watch }) => watch.status.state !== 'connecting')) resolve(true);
    };
    events.on('serverState', look);
    client.connect();
    look();
  });
}
