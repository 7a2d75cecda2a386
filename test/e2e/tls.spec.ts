import 'reflect-metadata';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Redis } from 'ioredis';
import { RedlockModule, RedlockService, type RedlockServer } from 'redlock-nestjs';
import { createAuthority } from '../support/certificate.js';
import { CollectingLogger } from '../support/collecting-logger.js';
import { eventually } from '../support/eventually.js';
import { start, type Fleet } from '../support/fleet.js';
import { onFreePort } from '../support/servers/port.js';

const PASSWORD = 's3cret-of-tls';
const authority = createAuthority('the authority of a test');
const stranger = createAuthority('the authority of a test');

let folder: string;
let fleet: Fleet;
let port: number;
const apps: INestApplicationContext[] = [];
const clients: Redis[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'redlock-tls-'));
  const { cert, key } = authority.issue();
  const files = { ca: authority.cert, cert, key };
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, `${name}.pem`), text);
  const args = [
    ...Object.keys(files).flatMap((name) => [
      name === 'ca' ? '--tls-ca-cert-file' : `--tls-${name}-file`,
      join(folder, `${name}.pem`),
    ]),
    ...['--tls-auth-clients', 'no'],
  ];
  await onFreePort(async (free) => {
    fleet = await start(1, { direct: true, kind: 'local', args: [...args, '--tls-port', String(free)] });
    port = free;
  });
  await fleet.servers[0]!.command('CONFIG', 'SET', 'requirepass', PASSWORD);
});
afterAll(async () => {
  await fleet.stop();
  await rm(folder, { recursive: true });
});
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
  for (const client of clients.splice(0)) client.disconnect();
});

async function boot(server: RedlockServer): Promise<{ service: RedlockService; logger: CollectingLogger }> {
  @Module({ imports: [RedlockModule.forRoot(server, { nodeTimeout: 300 })] })
  class AppModule {}
  const logger = new CollectingLogger();
  const app = await NestFactory.createApplicationContext(AppModule, { logger });
  apps.push(app);
  return { service: app.get(RedlockService), logger };
}

function client(ca: string): Redis {
  const made = new Redis(`rediss://:${PASSWORD}@127.0.0.1:${port}`, {
    tls: { ca },
    disconnectTimeout: 10,
    autoResendUnfulfilledCommands: false,
    enableOfflineQueue: false,
  });
  made.on('error', () => undefined);
  clients.push(made);
  return made;
}

const address = (): { host: string; port: number; password: string } => ({
  host: '127.0.0.1',
  port,
  password: PASSWORD,
});

describe('a server with TLS', () => {
  it.each<[string, () => RedlockServer]>([
    ['options', () => ({ ...address(), tls: { ca: authority.cert } })],
    ['a client that was given', () => client(authority.cert)],
  ])('locks, with an authority of its own in %s', async (_, server) => {
    const { service, logger } = await boot(server());
    const lock = await service.acquire('k', '5s');
    expect(await service.tryAcquire('k', '5s')).toBeNull();
    await lock.extend();
    const health = await service.health();
    await lock.release();
    expect(health.servers[0]).toMatchObject({ server: `127.0.0.1:${port}`, state: 'ready' });
    expect(logger.problems).toEqual([]);
    for (const printed of [lock, service, health]) {
      expect(inspect(printed, { depth: 20, showHidden: true }) + JSON.stringify(printed)).not.toContain(PASSWORD);
    }
  });

  it.each<[string, RegExp, () => string]>([
    [
      'a rediss:// URL for a port without TLS',
      /no answer to the TLS handshake within 2000 ms|may speak no TLS on this port/,
      () => `rediss://:${PASSWORD}@127.0.0.1:${fleet.servers[0]!.port}`,
    ],
    ['a redis:// URL for a port with TLS', /TLS.*rediss:\/\/ URL/, () => `redis://:${PASSWORD}@127.0.0.1:${port}`],
  ])('P17: %s is named as the likely reason, within three seconds', async (_, reason, server) => {
    const { service } = await boot(server());
    const startedAtMs = performance.now();
    await eventually(async () => reason.test((await service.health()).servers[0]?.reason ?? ''));
    expect(performance.now() - startedAtMs).toBeLessThan(3000);
    expect(await service.health()).toMatchObject({ quorum: false, servers: [{ state: 'down' }] });
  });

  it.each<[string, RegExp, () => RedlockServer]>([
    ['a wrong authority in options', /signature|certificate/, () => ({ ...address(), tls: { ca: stranger.cert } })],
    ['no authority, with a rediss url', /certificate/, () => `rediss://:${PASSWORD}@127.0.0.1:${port}`],
    [
      'another name than that of the certificate',
      /altnames|certificate/i,
      () => ({ ...address(), tls: { ca: authority.cert, servername: 'elsewhere.test' } }),
    ],
    ['a wrong authority in a client that was given', /signature|certificate/, () => client(stranger.cert)],
  ])('P7, P16, P17: %s is the reason, and no password is shown', async (_, reason, server) => {
    const { service, logger } = await boot(server());
    const failure: unknown = await service.acquire('k', '5s', { wait: '500ms' }).catch((error: unknown) => error);
    const health = await service.health();
    expect(failure).toMatchObject({ code: 'QUORUM_UNREACHABLE', message: expect.stringMatching(reason) });
    expect(health).toMatchObject({ quorum: false, servers: [{ reason: expect.stringMatching(reason) }] });
    const everything = [
      inspect([failure, health, service], { depth: 20, showHidden: true }),
      JSON.stringify([failure, health, service]),
      ...logger.lines.map(({ text }) => text),
    ].join('\n');
    expect(everything).not.toContain(PASSWORD);
  });
});
