import { describe, expect, it } from '@jest/globals';
import type { ServerHealth } from '../../../lib/interfaces/index.js';
import type { Server, Shard, Shards } from '../../../lib/client/shards.js';
import { toHealth } from '../../../lib/client/health.js';
import type { ServerStatus } from '../../../lib/redis/server-status.js';

interface Like extends Partial<ServerStatus> {
  latencyMs?: number;
  version?: string;
}

const since = new Date(1_700_000_000_000);
const warnings = [{ code: 'may-evict', message: 'may evict locks' }];

let number = 0;
function server({ state = 'ready', reason, latencyMs, version }: Like = {}): Server {
  return {
    connection: { name: `server-${++number}` },
    node: { ensureConnected: () => ({ status: 'ready' }) },
    watch: {
      status: { state, since, ...(reason !== undefined && { reason }) },
      warnings,
      info: version === undefined ? undefined : { version },
      check: () => Promise.resolve(latencyMs),
    },
  } as unknown as Server;
}

const shardsOf = (groups: Server[][], named = groups.length > 1): Shards =>
  ({ list: groups.map((servers) => ({ servers }) as unknown as Shard), named }) as unknown as Shards;

const healthOf = async (like: Like): Promise<ServerHealth> =>
  (await toHealth(shardsOf([[server(like)]]), 30)).servers[0]!;

describe('health', () => {
  it.each<[string, Like, object]>([
    ['one that is ready', { latencyMs: 2 }, { state: 'ready', latencyMs: 2 }],
    ['its version', { version: '7.2.4' }, { state: 'ready', version: '7.2.4' }],
    ['why it does not vote', { state: 'down', reason: 'connect ECONNREFUSED' }, { reason: 'connect ECONNREFUSED' }],
  ])('tells %s, since when, and what endangers locks on it', async (_, like, expected) => {
    expect(await healthOf(like)).toEqual({
      server: expect.stringContaining('server-'),
      state: 'ready',
      since,
      warnings,
      ...like,
      ...expected,
    });
  });

  it.each(['connecting', 'down', 'silent', 'refusing', 'quarantined'] as const)(
    'has a quorum while a majority votes; a server that is %s does not',
    async (state) => {
      const health = (well: number, ill: number): Promise<object> =>
        toHealth(
          shardsOf([[...Array(well).keys()].map(() => server()).concat(Array(ill).fill(server({ state })))]),
          30,
        );
      expect(await health(2, 1)).toMatchObject({ quorum: true, voting: 2, needed: 2 });
      expect(await health(2, 2)).toMatchObject({ quorum: false, voting: 2, needed: 3 });
    },
  );

  it('of shards says which of them have a quorum, and which server is in which', async () => {
    const groups = [[server(), server({ state: 'down' })], [server()]];
    const names = groups.map((servers) => servers.map(({ connection }) => connection.name));
    const health = await toHealth(shardsOf(groups), 30);
    expect(health).toMatchObject({ quorum: false, voting: 2, needed: 3 });
    expect(health.shards).toEqual([
      { quorum: false, voting: 1, needed: 2, servers: names[0] },
      { quorum: true, voting: 1, needed: 1, servers: names[1] },
    ]);
    expect(health.servers.map(({ server: name, shard }) => [name, shard])).toEqual([
      [names[0]?.[0], 0],
      [names[0]?.[1], 0],
      [names[1]?.[0], 1],
    ]);
    const one = await toHealth(shardsOf([[server()]]), 30);
    expect(one.shards).toBeUndefined();
    expect(one.servers[0]).not.toHaveProperty('shard');
  });
});
