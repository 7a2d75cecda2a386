import { EventEmitter } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { EventSource } from '../../../lib/client/event-source.js';
import { toHealth } from '../../../lib/client/health.js';
import { serverEvents } from '../../../lib/client/server-events.js';
import type { Shards } from '../../../lib/client/shards.js';
import type { NodeState } from '../../../lib/core/ports/lock-node.js';
import type { RedlockHealth } from '../../../lib/interfaces/index.js';
import { ProvidedClientConnection, type ProvidedClient } from '../../../lib/redis/provided-client-connection.js';
import { RestartGuard } from '../../../lib/redis/restart-guard.js';
import { ServerGroup } from '../../../lib/redis/server-group.js';
import { ServerWatch } from '../../../lib/redis/server-watch.js';
import { VirtualClock } from '../../support/virtual-clock.js';

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

class StandIn extends EventEmitter {
  readonly options = { enableOfflineQueue: false, autoResendUnfulfilledCommands: false };
  constructor(public status: string) {
    super();
  }
  call(command: string): Promise<unknown> {
    return Promise.resolve(command === 'time' ? [1, 0] : 'run_id:a\r\naof_enabled:1\r\nrole:master\r\n');
  }
  connect(): Promise<void> {
    return Promise.resolve();
  }
}

interface SetUp {
  readonly clock: VirtualClock;
  readonly client: StandIn;
  readonly heard: readonly string[];
  health(): Promise<RedlockHealth>;
  ensureConnected(): NodeState;
}

async function setUp(status: string): Promise<SetUp> {
  const clock = new VirtualClock();
  const client = new StandIn(status);
  const connection = new ProvidedClientConnection('s', client as unknown as ProvidedClient, clock);
  const events = new EventSource();
  const heard: string[] = [];
  events.on('serverState', ({ state }) => heard.push(state));
  events.on('quorumLost', () => heard.push('quorum lost'));
  const guard = new RestartGuard('witnessed', clock);
  const group = new ServerGroup(clock, serverEvents(events, undefined));
  const watch = new ServerWatch(connection, { guard, identities: new Map(), group, clock });
  const ensureConnected = (): NodeState => watch.ensureConnected();
  ensureConnected();
  await settled();
  const shards = { list: [{ servers: [{ connection, node: { ensureConnected }, watch }] }], clock, named: false };
  const health = async (): Promise<RedlockHealth> => {
    const { value } = await clock.settle(toHealth(shards as unknown as Shards, 500));
    return value!;
  };
  return { clock, client, health, heard, ensureConnected };
}

describe('health() of a server whose client was given', () => {
  it('has no quorum while the client is not connected', async () => {
    const { clock, client, health, ensureConnected } = await setUp('ready');
    expect((await health()).quorum).toBe(true);
    // The server has closed the connection without an error, and nothing answers there since (a pod that was moved).
    client.status = 'reconnecting';
    client.emit('close');
    client.emit('reconnecting');
    await clock.advance(9000);
    expect(ensureConnected().status).toBe('connecting'); // So every call for a lock times out.
    expect((await health()).quorum).toBe(false);
  });

  it('waits for a connection that is made again in time, and tells nobody of it', async () => {
    const { clock, client, health, heard } = await setUp('ready');
    const before = [...heard];
    client.status = 'reconnecting';
    client.emit('close');
    clock.after(100, () => {
      client.status = 'ready';
      client.emit('ready');
    });
    const { quorum, servers } = await health();
    expect([quorum, servers[0]?.state, heard]).toEqual([true, 'ready', before]);
  });

  it('says that a client was closed before the module had it, and the log hears of it', async () => {
    const { clock, health, heard } = await setUp('end');
    await clock.advance(60_000);
    expect((await health()).servers[0]).toMatchObject({ state: 'down', reason: expect.stringContaining('closed') });
    expect(heard).toEqual(['down', 'quorum lost']);
  });
});
