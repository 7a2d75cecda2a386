import type { Clock } from './core/ports/clock.js';
import { majorityOf, type Vote } from './core/vote.js';
import { withinMs } from './core/wait.js';
import type { LockInspection, RedlockHealth, ServerHealth, ServerInspection, ShardHealth } from './interfaces/index.js';
import type { Server, Shards } from './redlock.shards.js';

/** The servers' answers to "who has this key?", for people. */
export function toInspection(key: string, votes: readonly Vote[]): LockInspection {
  const carriers = new Map<string, number>();
  for (const vote of votes) {
    if (vote.outcome === 'seen') carriers.set(vote.holder.token, (carriers.get(vote.holder.token) ?? 0) + 1);
  }
  const majority = votes.flatMap((vote) =>
    vote.outcome === 'seen' && (carriers.get(vote.holder.token) ?? 0) >= majorityOf(votes.length) ? [vote.holder] : [],
  );
  const [holder] = majority;
  return {
    key,
    held: holder !== undefined,
    ...(holder && { owner: holder.owner, remainingMs: Math.max(...majority.map((each) => each.remainingMs)) }),
    servers: votes.toSorted((one, other) => one.position - other.position).map(toServerInspection),
  };
}

function toServerInspection(vote: Vote): ServerInspection {
  const { server } = vote;
  switch (vote.outcome) {
    case 'seen': {
      const { owner, remainingMs, token } = vote.holder;
      return { server, state: 'held', owner, remainingMs, token };
    }
    case 'failed':
      return { server, state: 'unknown', cause: vote.cause.message };
    default:
      return { server, state: 'free' };
  }
}

export async function toHealth({ list, named, clock }: Shards, timeoutMs: number): Promise<RedlockHealth> {
  const groups = await Promise.all(
    list.map(({ servers }) => Promise.all(servers.map((server) => toServerHealth(server, clock, timeoutMs)))),
  );
  const shards = groups.map(toShardHealth);
  const quorum = shards.every((shard) => shard.quorum);
  if (!named) return { quorum, servers: groups.flat() };
  return { quorum, servers: groups.flatMap((servers, shard) => servers.map((each) => ({ ...each, shard }))), shards };
}

function toShardHealth(servers: readonly ServerHealth[]): ShardHealth {
  const voting = servers.filter(({ state, latencyMs }) => state === 'ready' && latencyMs !== undefined).length;
  return { quorum: voting >= majorityOf(servers.length), servers: servers.map(({ server }) => server) };
}

async function toServerHealth(
  { connection, node, watch, guard }: Server,
  clock: Clock,
  timeoutMs: number,
): Promise<ServerHealth> {
  const state = node.reach();
  const base = {
    server: connection.name,
    findings: [...watch.findings, ...(node.warnings ?? []).map(({ message }) => message)],
    ...(watch.info?.version !== undefined && { version: watch.info.version }),
  };
  if (state.status === 'down') return { ...base, state: 'down', reason: state.cause.message };
  if (state.status === 'connecting') return { ...base, state: 'connecting', reason: 'not connected yet' };
  const ping = await pingMs(connection, clock, timeoutMs);
  const latency = typeof ping === 'number' ? { latencyMs: ping } : { reason: ping };
  const leftMs = guard.leftMs();
  if (leftMs <= 0) return { ...base, state: 'ready', ...latency };
  return {
    ...base,
    ...latency,
    state: 'quarantined',
    reason: `may have forgotten locks; votes in ${Math.ceil(leftMs)} ms`,
  };
}

/** How long an answer took, or why there was none. */
async function pingMs(connection: Server['connection'], clock: Clock, timeoutMs: number): Promise<number | string> {
  const startedAtMs = clock.nowMs();
  const pinged = connection.call('ping', []).then(
    () => clock.nowMs() - startedAtMs,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  return (await withinMs(clock, pinged, timeoutMs)) ?? `no answer within ${timeoutMs} ms`;
}
