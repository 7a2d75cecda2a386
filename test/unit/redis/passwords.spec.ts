import { afterAll, afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ConsoleLogger, Logger } from '@nestjs/common';
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { createServer, type Server, type Socket } from 'node:net';
import { inspect } from 'node:util';
import type { RedlockServer } from '../../../lib/interfaces/index.js';
import { toSettings } from '../../../lib/client/options/module-options.js';
import { RedlockModule } from '../../../lib/redlock.module.js';
import { EventSource } from '../../../lib/client/event-source.js';
import { LockClient } from '../../../lib/client/lock-client.js';
import { createShards, redisServers } from '../../../lib/client/server-factory.js';
import { Secrets } from '../../../lib/redis/connection.js';
import { RedlockService } from '../../../lib/redlock.service.js';
import type { Shards } from '../../../lib/client/shards.js';
import { CollectingLogger } from '../../support/collecting-logger.js';
import { eventually } from '../../support/eventually.js';

const SECRET = 's3cret';
const host = '127.0.0.1';

/** How a server turns us down. The last one is what Redis says where AUTH has another name (`rename-command`). */
const REFUSALS: Record<string, (words: string[]) => string | undefined> = {
  'hangs up': () => undefined,
  'does not take the password': () => '-WRONGPASS invalid username-password pair or user is disabled.\r\n',
  'does not know AUTH, and repeats what it was sent': ([command, ...args]) =>
    `-ERR unknown command '${command}', with args beginning with: ${args.map((each) => `'${each}'`).join(' ')}\r\n`,
};

let server: Server | undefined;
let shards: Shards | undefined;
const sockets = new Set<Socket>();
const clients: { disconnect(): void }[] = [];
let logger: CollectingLogger;
let printed: string[];

beforeEach(() => {
  logger = new CollectingLogger();
  Logger.overrideLogger(logger);
  printed = [];
  for (const method of ['log', 'warn', 'error', 'info', 'debug'] as const) {
    jest.spyOn(console, method).mockImplementation((...args) => void printed.push(inspect(args)));
  }
});
afterEach(async () => {
  jest.restoreAllMocks();
  shards?.close();
  for (const client of clients.splice(0)) client.disconnect();
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
});
afterAll(() => {
  Logger.overrideLogger(new ConsoleLogger());
});

async function listen(refusal: (words: string[]) => string | undefined): Promise<number> {
  const listening = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      const [, ...commands] = data.toString().split(/^\*\d+\r\n/m);
      // It speaks TLS, and we do not.
      if (commands.length === 0) socket.destroy();
      for (const command of commands) {
        const reply = refusal(command.split('\r\n').filter((word) => word !== '' && !word.startsWith('$')));
        if (reply === undefined) socket.destroy();
        else socket.write(reply);
      }
    });
  });
  server = listening;
  await new Promise<void>((resolve) => listening.listen(0, host, resolve));
  return (listening.address() as { port: number }).port;
}

function given<T extends { disconnect(): void; on(event: 'error', listener: () => void): unknown }>(client: T): T {
  client.on('error', () => undefined);
  clients.push(client);
  return client;
}

const once = {
  disconnectTimeout: 10,
  retryStrategy: () => null,
  sentinelRetryStrategy: () => null,
  clusterRetryStrategy: () => null,
};
const sentinels = (port: number): RedisOptions => ({
  sentinels: [{ host, port }],
  name: 'main',
  username: 'user',
  password: SECRET,
  sentinelUsername: 'watcher',
  sentinelPassword: SECRET,
});

const SERVERS: [string, (port: number) => RedlockServer][] = [
  ['redis://:password@', (port) => `redis://:${SECRET}@${host}:${port}`],
  ['rediss://:password@', (port) => `rediss://:${SECRET}@${host}:${port}`],
  ['redis://user:password@, an ACL user', (port) => `redis://user:${SECRET}@${host}:${port}/1`],
  ['rediss://user:password@', (port) => `rediss://user:${SECRET}@${host}:${port}`],
  ['redis://?password=', (port) => `redis://${host}:${port}?password=${SECRET}`],
  ['options', (port) => ({ host, port, password: SECRET })],
  ['options of an ACL user', (port) => ({ host, port, username: 'user', password: SECRET })],
  ['options with TLS', (port) => ({ host, port, username: 'user', password: SECRET, tls: { passphrase: SECRET } })],
  ['options of Sentinels', sentinels],
  ['a given client', (port) => given(new Redis({ host, port, password: SECRET, ...once }))],
  ['a given client of a URL', (port) => given(new Redis(`redis://user:${SECRET}@${host}:${port}`, once))],
  ['a given client behind Sentinels', (port) => given(new Redis({ ...sentinels(port), ...once }))],
  [
    'a given Cluster',
    (port) =>
      given(new Cluster([{ host, port }], { ...once, redisOptions: { password: SECRET, disconnectTimeout: 10 } })),
  ],
];

describe.each(Object.entries(REFUSALS))('P16: a password is nowhere to be read, where the server %s', (_, refusal) => {
  it.each(SERVERS)('%s', async (_name, toServer) => {
    const settings = toSettings({ servers: toServer(await listen(refusal)), nodeTimeout: 100, reconnectDelay: '1h' });
    const events = new EventSource();
    shards = createShards(settings, redisServers(), events);
    const service = new RedlockService(new LockClient(settings, shards, events));
    service.onApplicationBootstrap();
    const [reached] = shards.servers;
    await eventually(() => reached?.node.ensureConnected().status === 'down');

    const errors: unknown[] = [];
    const keep = (error: unknown): void => void errors.push(error);
    await service.acquire('k', '5s', { wait: 0 }).catch(keep);
    await service.withLock('k', '5s', () => Promise.resolve(), { wait: 50 }).catch(keep);
    await service.forceRelease('k').catch(keep);
    expect(errors).toMatchObject(Array(3).fill({ code: 'QUORUM_UNREACHABLE' }));

    const shown = [...errors, await service.inspect('k'), await service.health(), settings, service, shards];
    for (const each of shown) {
      expect(inspect(each, { depth: 12, showHidden: true })).not.toContain(SECRET);
    }
    expect(JSON.stringify([...errors, await service.inspect('k'), await service.health(), settings])).not.toContain(
      SECRET,
    );
    expect(logger.problems).toEqual([expect.stringMatching(/cannot be (reached|used): ./)]);
    expect([...logger.lines.map(({ text }) => text), ...printed].join('\n')).not.toContain(SECRET);
  });
});

describe('P4: a password that stands in a reply by chance', () => {
  it.each(['1234', '0001', '1764'])('%s: leaves numbers, markers and times as they are', (password) => {
    const reply = [
      'a.b.1@1764412340001',
      '+1764412340000001',
      [1, 1764412340000001, 12],
      [1, 's 1764412340001 1234\n', 5],
    ];
    expect(new Secrets({ password }).cutReply('evalsha', reply)).toEqual(reply);
  });

  it.each(['slave', 'master', 'redis'])('%s: leaves the fields of INFO as they are', (password) => {
    const info = 'redis_version:7.0.15\r\nrole:slave\r\nmaster_replid:abc\r\n';
    expect(new Secrets({ password }).cutReply('info', info)).toBe(info);
  });
});

describe('P16: a password is not printed', () => {
  it('with what forRoot returns, and the service that is made of it', () => {
    const url = `redis://user:${SECRET}@${host}:1`;
    const definition = RedlockModule.forRoot([url, { host, port: 2, password: SECRET }], { name: 'hidden' });
    expect(inspect(definition, { depth: 12, showHidden: true })).not.toContain(SECRET);
    expect(JSON.stringify(definition)).not.toContain(SECRET);
  });

  it('where the server repeats it, in an error or in a reply', async () => {
    const says = new Secrets({ password: SECRET, sentinelPassword: 'another', tls: { passphrase: 'a third' } });
    const error = says.toCallError(new Error(`ERR ${SECRET} another a third, and\nmore ${SECRET}`));
    expect(error.message).toBe('ERR *** *** ***, and\\nmore ***');
    expect(says.cutReply('scan', [`x${SECRET}`, [SECRET, 5, null]])).toEqual(['x***', ['***', 5, null]]);
    expect(says.cutReply('eval', [SECRET, [0, 1, 9, SECRET, 5, `x${SECRET}`], [1, `12 ${SECRET}\n`, 7]])).toEqual([
      SECRET,
      [0, 1, 9, SECRET, 5, 'x***'],
      [1, '12 ***\n', 7],
    ]);
    const info = `redis_version:${SECRET}\r\nrole:slave\r\n`;
    expect(says.cutReply('info', info)).toBe('redis_version:***\r\nrole:slave\r\n');
    // What Redis says of AUTH where it has another name, and where it is sent inline.
    const port = await listen(() => `-ERR invalid password "${SECRET}"\r\n`);
    const settings = toSettings({ servers: `redis://:${SECRET}@${host}:${port}`, reconnectDelay: '1h' });
    shards = createShards(settings, redisServers());
    const [reached] = shards.servers;
    reached?.node.ensureConnected();
    await eventually(() => reached?.watch.status.state === 'down');
    expect(reached?.watch.status.reason).toContain('ERR invalid password "***"');
  });
});
