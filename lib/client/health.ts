import { majorityOf } from '../core/vote.js';
import type { RedlockHealth, ServerHealth, ShardHealth } from '../interfaces/index.js';
import type { Server, Shards } from './shards.js';

/** Settles within the timeout, and never rejects. */
export async function toHealth({ list, named }: Shards, timeoutMs: number): Promise<RedlockHealth> {
  const groups = await Promise.all(
    list.map(({ servers }) => Promise.all(servers.map((server) => toServerHealth(server, timeoutMs)))),
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

async function toServerHealth({ connection, node, watch }: Server, timeoutMs: number): Promise<ServerHealth> {
  node.ensureConnected(); // A question for the health of a server is also a reason to connect.
  const latencyMs = await watch.check(timeoutMs);
  const { status, info, warnings } = watch;
  return {
    server: connection.name,
    ...status,
    ...(latencyMs !== undefined && { latencyMs }),
    ...(info?.version !== undefined && { version: info.version }),
    warnings: [...warnings, ...(node.warnings ?? [])],
  };
}
