import type { Clock } from '../core/ports/clock.js';
import { majorityOf } from '../core/vote.js';
import { withinMs } from '../core/wait.js';
import type { RedlockHealth, ServerHealth, ShardHealth } from '../interfaces/index.js';
import { clockOffsetMs } from '../redis/server-clock.js';
import type { Server, Shards } from './shards.js';

/** Settles within the timeout, and never rejects. */
export async function toHealth({ list, named, clock }: Shards, timeoutMs: number): Promise<RedlockHealth> {
  const groups = await Promise.all(
    list.map(({ servers }) => Promise.all(servers.map((server) => toServerHealth(server, clock, timeoutMs)))),
  );
  const shards = groups.map(toShardHealth);
  const quorum = shards.every((shard) => shard.quorum);
  const voting = shards.reduce((sum, shard) => sum + shard.voting, 0);
  const needed = shards.reduce((sum, shard) => sum + shard.needed, 0);
  if (!named) return { quorum, voting, needed, servers: groups.flat() };
  const servers = groups.flatMap((group, shard) => group.map((each) => ({ ...each, shard })));
  return { quorum, voting, needed, servers, shards };
}

function toShardHealth(servers: readonly ServerHealth[]): ShardHealth {
  const voting = servers.filter(({ state }) => state === 'ready').length;
  const needed = majorityOf(servers.length);
  return { quorum: voting >= needed, voting, needed, servers: servers.map(({ server }) => server) };
}

async function toServerHealth(server: Server, clock: Clock, timeoutMs: number): Promise<ServerHealth> {
  const { connection, node, watch } = server;
  node.ensureConnected(); // A question for the health of a server is also a reason to connect.
  const [latencyMs, offsetMs] = await Promise.all([watch.check(timeoutMs), offsetOf(server, clock, timeoutMs)]);
  const { status, info, warnings } = watch;
  return {
    server: connection.name,
    ...status,
    ...(latencyMs !== undefined && { latencyMs }),
    ...(offsetMs !== undefined && { clockOffsetMs: offsetMs }),
    ...(info?.version !== undefined && { version: info.version }),
    warnings: [...warnings, ...(node.warnings ?? [])],
  };
}

/** Undefined without a connection or an answer in time, and where the server allows no TIME. */
async function offsetOf({ connection, node }: Server, clock: Clock, timeoutMs: number): Promise<number | undefined> {
  const { send } = connection;
  if (send === undefined || node.ensureConnected().status !== 'ready') return undefined;
  const asked = clockOffsetMs({ send: send.bind(connection) }, clock).catch(() => undefined);
  return await withinMs(clock, asked, timeoutMs);
}
