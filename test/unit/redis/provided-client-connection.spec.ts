import { EventEmitter } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { EventSource } from '../../../lib/client/event-source.js';
import { serverEvents } from '../../../lib/client/server-events.js';
import { ProvidedClientConnection, type ProvidedClient } from '../../../lib/redis/provided-client-connection.js';
import { RestartGuard } from '../../../lib/redis/restart-guard.js';
import { ServerGroup } from '../../../lib/redis/server-group.js';
import { ServerWatch } from '../../../lib/redis/server-watch.js';
import { VirtualClock } from '../../support/virtual-clock.js';

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A client that is connected, and whose server answers INFO as it is told to. */
class StandIn extends EventEmitter {
  status = 'ready';
  readonly options = { enableOfflineQueue: false, autoResendUnfulfilledCommands: false };
  readonly calls: string[] = [];

  constructor(private readonly answer: string | Error) {
    super();
  }

  call(command: string): Promise<unknown> {
    this.calls.push(command);
    return this.answer instanceof Error ? Promise.reject(this.answer) : Promise.resolve(this.answer);
  }

  connect(): Promise<void> {
    return Promise.resolve();
  }
}

async function setUp(answer: string | Error) {
  const clock = new VirtualClock();
  const client = new StandIn(answer);
  const connection = new ProvidedClientConnection('s', client as unknown as ProvidedClient, clock);
  const events = new EventSource();
  const states: string[] = [];
  events.on('serverState', ({ state }) => states.push(state));
  const guard = new RestartGuard('witnessed', clock);
  const group = new ServerGroup(clock, serverEvents(events, undefined));
  const watch = new ServerWatch(connection, { guard, identities: new Map(), group, clock });
  watch.ensureConnected();
  await settled();
  return { clock, client, connection, guard, states, watch };
}

describe('P13: the connection of a client that was given, when the application closes', () => {
  it('says nothing more of its server, also not that its quarantine is over', async () => {
    const { clock, connection, guard, states, watch } = await setUp('run_id:a\r\naof_enabled:1\r\nrole:master\r\n');
    guard.onRequest({ kind: 'acquire', token: 't', owner: 'o', claims: [{ key: 'k', ttlMs: 5000 }] });
    for (const marker of ['one', 'two']) {
      guard.onMarker(marker);
      watch.onLoss();
    }
    expect(states).toEqual(['ready', 'quarantined']);
    connection.close();
    await clock.advance(60_000);
    expect(states).toEqual(['ready', 'quarantined']);
    expect(connection.ensureConnected()).toMatchObject({ status: 'down' });
  });

  it('asks its server nothing more', async () => {
    const { clock, client, connection } = await setUp(new Error('LOADING Redis is loading the dataset in memory'));
    await clock.advance(10_000);
    const { length } = client.calls;
    expect(length).toBeGreaterThan(2);
    connection.close();
    await clock.advance(60_000);
    expect(client.calls).toHaveLength(length);
  });
});
