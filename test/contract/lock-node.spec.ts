import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { Redis as Redis5 } from 'ioredis5';
import { call, type Connection, type SubscriberConnection } from '../../lib/redis/connection.js';
import { ProvidedClientConnection, type ProvidedClient } from '../../lib/redis/provided-client-connection.js';
import { canBeCopied, ProvidedClientSubscriber, type Original } from '../../lib/redis/provided-client-subscriber.js';
import { OwnConnection } from '../../lib/redis/own-connection.js';
import { SystemClock } from '../../lib/system/system-clock.js';
import { RedlockMemory } from '../../lib/testing/redlock-memory.js';
import { eventually } from '../support/eventually.js';
import { execute } from '../support/execute.js';
import { start, type Fleet, type Release } from '../support/fleet.js';
import { findPlace } from '../support/servers/choose.js';
import { NotHereError } from '../support/servers/not-here.error.js';
import { RELEASES } from '../support/servers/release.js';
import { redisLockNode } from '../support/redis-node.js';
import { ModelNode } from '../support/model-node.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { hostileValuesContract } from './hostile-values.contract.js';
import { lockNodeContract, type Subject } from './lock-node.contract.js';
import { markerContract, type MarkedSubject } from './marker.contract.js';
import {
  fullServerContract,
  hostileRegisterContract,
  registerContract,
  type RealSubject,
  type RegisterSubject,
} from './register.contract.js';

describe('the model node', () => {
  let subject: Subject;
  beforeEach(() => {
    const clock = new VirtualClock();
    const node = new ModelNode('model', clock);
    let start = 0;
    node.startOfCount = () => (start += 1_000_000);
    subject = {
      node,
      pass: (ms) => clock.advance(ms),
      flush: () => Promise.resolve(node.flush()),
      ask: async (requests) => {
        const { value } = await clock.settle(execute(node, requests));
        return value ?? [];
      },
    };
  });
  lockNodeContract(() => subject);
  registerContract(() => subject);
});

describe('the memory of redlock-nestjs/testing', () => {
  let subject: Subject;
  beforeEach(() => {
    const memory = new RedlockMemory();
    const spec = { kind: 'own', name: 'memory', place: 'memory', target: () => ({ path: 'memory' }) } as const;
    const { node } = memory.toServer(spec, { clock: new SystemClock() });
    subject = {
      node,
      pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      flush: () => Promise.resolve(memory.clear()),
      ask: (requests) => execute(node, requests),
    };
  });
  lockNodeContract(() => subject);
  registerContract(() => subject);
});

// Looked for before the tests are named: what cannot be had on this machine is said, what fails to come is a failure.
const releases = Object.keys(RELEASES) as Release[];
const searches = await Promise.all(
  releases.map((release) =>
    findPlace({ release }).then(
      ({ origin }) => ({ release, origin, missing: undefined }),
      (error: unknown) => ({ release, origin: undefined, missing: error as Error }),
    ),
  ),
);
const there = searches.filter(({ missing }) => missing === undefined);
const said = searches.map(({ release, origin, missing }) =>
  missing === undefined ? `on ${release}: ${origin}` : `NOT on ${release}. ${missing.message}`,
);
process.stderr.write(`The contract of the lock nodes runs\n${said.map((line) => `- ${line}\n`).join('')}`);

describe('the real servers', () => {
  it('are all those that this machine can have, and one at least', () => {
    const failures = searches.flatMap(({ missing }) => (missing instanceof NotHereError ? [] : (missing ?? [])));
    expect(failures.map(({ message }) => message)).toEqual([]);
    expect(said).toContainEqual(expect.stringMatching(/^on /));
  });
});

// A loop, because `describe.each` refuses to have nothing to do, and would hide why.
for (const { release } of there)
  describe(release, () => {
    let fleet: Fleet;
    beforeAll(async () => {
      fleet = await start(1, { release, direct: true });
    });
    afterAll(() => fleet.stop());

    const url = (): string => fleet.urls[0] ?? '';
    const clients: { disconnect(): void }[] = [];
    const given = (client: { disconnect(): void }): ProvidedClient => {
      clients.push(client);
      return client as unknown as ProvidedClient;
    };
    const original = (client: { disconnect(): void }): Original => {
      clients.push(client);
      if (!canBeCopied(client)) throw new Error('ioredis has no duplicate() any more.');
      return client;
    };
    const own = (): OwnConnection =>
      new OwnConnection(
        'own',
        () => ({ host: new URL(url()).hostname, port: Number(new URL(url()).port) }),
        { reconnectDelayMs: 300, maxReconnectDelayMs: 3000 },
        new SystemClock(),
        Math.random,
      );
    const connections: [string, () => Connection, () => SubscriberConnection][] = [
      ['its own connection', own, own],
      [
        'a given ioredis 6 client',
        () => new ProvidedClientConnection('given', given(new Redis(url())), new SystemClock()),
        () => new ProvidedClientSubscriber('given', original(new Redis(url())), new SystemClock()),
      ],
      [
        'a given ioredis 5 client',
        () => new ProvidedClientConnection('given', given(new Redis5(url())), new SystemClock()),
        () => new ProvidedClientSubscriber('given', original(new Redis5(url())), new SystemClock()),
      ],
    ];

    describe.each(connections)('over %s', (name, connect, subscribe) => {
      let subject: MarkedSubject & RegisterSubject & RealSubject;
      let connection: Connection;
      let subscriber: SubscriberConnection | undefined;
      let client: Redis;
      beforeAll(async () => {
        connection = connect();
        client = new Redis(url());
        const node = redisLockNode(connection, { mode: 'off', subscriber: () => (subscriber = subscribe()) });
        await eventually(() => node.ensureConnected().status === 'ready');
        let replied = 0;
        const send = connection.send.bind(connection);
        connection.send = (command, args, onReply, onError) => {
          const onMeasured = (reply: unknown): void => {
            replied = JSON.stringify(reply).length;
            onReply(reply);
          };
          send(command, args, onMeasured, onError);
        };
        subject = {
          node,
          replied: () => replied,
          run: (args) => call(connection, 'eval', args),
          write: async (key, value) => {
            await client.del(key);
            if (typeof value === 'string' || Buffer.isBuffer(value)) await client.set(key, value);
            else await client.rpush(key, value.list);
          },
          ttlOf: (key) => client.pttl(key),
          command: (name, ...words) => client.call(name, ...words),
          pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
          flush: async () => {
            await client.flushall();
          },
          ask: (requests) => execute(node, requests),
        };
      });
      beforeEach(() => client.flushall());
      afterAll(() => {
        connection.close();
        subscriber?.close();
        for (const made of clients.splice(0)) made.disconnect();
        client.disconnect();
      });
      lockNodeContract(() => subject);
      // What the script makes of a value does not depend on the client that has sent it.
      if (name !== 'its own connection') return;
      registerContract(() => subject);
      hostileRegisterContract(() => subject);
      fullServerContract(() => subject);
      hostileValuesContract(() => subject);
      markerContract(() => subject);
    });
  });
