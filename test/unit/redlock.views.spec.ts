import { describe, expect, it } from '@jest/globals';
import type { NodeState } from '../../lib/core/ports/lock-node.js';
import type { ServerHealth } from '../../lib/interfaces/index.js';
import type { Server, Shard, Shards } from '../../lib/redlock.shards.js';
import { toHealth } from '../../lib/redlock.views.js';
import { SystemClock } from '../../lib/system/system-clock.js';

interface Like {
  state?: NodeState;
  /** What a PING comes to: an answer, none, or an error. */
  ping?: 'pong' | 'silence' | Error;
  leftMs?: number;
  findings?: string[];
  version?: string;
}

let number = 0;
function server({ state = { status: 'ready' }, ping = 'pong', leftMs = 0, findings = [], version }: Like = {}): Server {
  const call = (command: string): Promise<unknown> => {
    expect(command).toBe('ping');
    if (ping === 'silence') return new Promise(() => undefined);
    return ping === 'pong' ? Promise.resolve('PONG') : Promise.reject(ping);
  };
  return {
    connection: { name: `server-${++number}`, call },
    node: { reach: () => state },
    watch: { findings, info: version === undefined ? undefined : { version } },
    guard: { leftMs: () => leftMs },
  } as unknown as Server;
}

const clock = new SystemClock();
const shardsOf = (groups: Server[][], named = groups.length > 1): Shards =>
  ({ list: groups.map((servers) => ({ servers }) as unknown as Shard), named, clock }) as unknown as Shards;

const healthOf = async (like: Like): Promise<ServerHealth> =>
  (await toHealth(shardsOf([[server(like)]]), 30)).servers[0]!;

const down: NodeState = { status: 'down', cause: new Error('connect ECONNREFUSED') };

describe('health', () => {
  it.each<[string, Like, object]>([
    ['one that is ready', {}, { state: 'ready', latencyMs: expect.any(Number), findings: [] }],
    ['its version', { version: '7.2.4' }, { state: 'ready', version: '7.2.4' }],
    [
      'what endangers locks on it',
      { findings: ['may evict locks'] },
      { state: 'ready', findings: ['may evict locks'] },
    ],
    ['one that does not answer', { ping: 'silence' }, { state: 'ready', reason: 'no answer within 30 ms' }],
    ['one that refuses', { ping: new Error('NOPERM') }, { state: 'ready', reason: 'NOPERM' }],
    [
      'one that is down',
      { state: down, version: '7' },
      { state: 'down', reason: 'connect ECONNREFUSED', version: '7' },
    ],
    ['one not reached yet', { state: { status: 'connecting' } }, { state: 'connecting', reason: 'not connected yet' }],
    [
      'one that may have forgotten locks',
      { leftMs: 1234.5 },
      { state: 'quarantined', latencyMs: expect.any(Number), reason: 'may have forgotten locks; votes in 1235 ms' },
    ],
  ])('tells %s', async (_, like, expected) => {
    const health = await healthOf(like);
    expect(health).toMatchObject(expected);
    for (const property of ['latencyMs', 'reason', 'version'] as const) {
      expect(property in health).toBe(
        property in expected || (property === 'latencyMs' && health.state === 'ready' && !('reason' in expected)),
      );
    }
  });

  it.each<[number, Like[]]>([
    [1, [{ state: down }]],
    [2, [{ state: { status: 'connecting' } }, { ping: 'silence' }]],
    [2, [{ leftMs: 5 }, { ping: new Error('NOPERM') }]],
  ])('has a quorum while a majority votes: with %i more servers than those that do not', async (more, ill) => {
    const well = (count: number): Server[] => Array.from({ length: count }, () => server());
    expect((await toHealth(shardsOf([[...ill.map(server), ...well(ill.length + 1)]]), 30)).quorum).toBe(true);
    expect((await toHealth(shardsOf([[...ill.map(server), ...well(ill.length)]]), 30)).quorum).toBe(false);
    expect(more).toBe(ill.length);
  });

  it('of shards says which of them have a quorum, and which server is in which', async () => {
    const groups = [[server(), server({ state: down })], [server()]];
    const names = groups.map((servers) => servers.map(({ connection }) => connection.name));
    const health = await toHealth(shardsOf(groups), 30);
    expect(health.quorum).toBe(false);
    expect(health.shards).toEqual([
      { quorum: false, servers: names[0] },
      { quorum: true, servers: names[1] },
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
