import 'reflect-metadata';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { RedlockModule, RedlockService, type RedlockServer } from 'redlock-nestjs';
import { CollectingLogger } from '../support/collecting-logger.js';
import { eventually } from '../support/eventually.js';
import { forgetLocks } from '../support/forget-locks.js';
import { start, type Fleet } from '../support/fleet.js';

/** The rules that docs/operations/access.md gives, so that they are the ones that work. */
const RULES =
  /ACL SETUSER redlock (.*) >password/.exec(readFileSync('docs/operations/access.md', 'utf8'))?.[1]?.split(' ') ?? [];
const PASSWORD = 's3cret/pass word';

let fleet: Fleet;
const apps: INestApplicationContext[] = [];
beforeAll(async () => {
  fleet = await start(3);
  await allow(RULES);
});
afterAll(() => fleet.stop());
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
  await forgetLocks(fleet.servers);
});

async function allow(rules: readonly string[]): Promise<void> {
  for (const server of fleet.servers) {
    await server.command('ACL', 'SETUSER', 'redlock', 'reset', ...rules, `>${PASSWORD}`);
  }
}

async function boot(servers: RedlockServer[]): Promise<{ service: RedlockService; logger: CollectingLogger }> {
  @Module({ imports: [RedlockModule.forRoot(servers, { nodeTimeout: 300 })] })
  class AppModule {}
  const logger = new CollectingLogger();
  const app = await NestFactory.createApplicationContext(AppModule, { logger });
  apps.push(app);
  return { service: app.get(RedlockService), logger };
}

const addresses = (): { host: string; port: number }[] =>
  fleet.urls.map((url) => ({ host: new URL(url).hostname, port: Number(new URL(url).port) }));

const asUser = (): RedlockServer[] =>
  addresses().map((address) => ({ ...address, username: 'redlock', password: PASSWORD }));

describe('a user that may run exactly the commands of docs/operations/access.md', () => {
  it.each<[string, () => RedlockServer[]]>([
    ['in options', asUser],
    [
      'in a url',
      () => addresses().map(({ host, port }) => `redis://redlock:${encodeURIComponent(PASSWORD)}@${host}:${port}`),
    ],
  ])('can do everything, with the password %s', async (_, servers) => {
    expect(RULES.length).toBeGreaterThan(5);
    const { service, logger } = await boot(servers());
    const ran = await service.withLock(
      ['a', 'b'],
      '2s',
      async (lock) => {
        await lock.extend('3s');
        expect((await service.inspect('a')).held).toBe(true);
        return lock.fencingToken;
      },
      { tick: new Date(), minHold: 50 },
    );
    expect(ran).toBeGreaterThan(0);
    // The keys beside a lock with a hash tag begin with that.
    const tagged = service.withLock(['{42}a', '{42}b'], '2s', () => Promise.resolve('tagged'), { tick: new Date() });
    expect(await tagged).toBe('tagged');
    const lock = await service.acquire('c', '2s');
    for (const server of fleet.servers) await server.command('DEL', 'redlock:c');
    await expect(lock.extend()).rejects.toMatchObject({ code: 'LOCK_LOST' });
    await service.acquire('d', '2s');
    expect(await service.forceRelease('d')).toBe(true);
    await eventually(async () => (await service.health()).servers.every(({ state }) => state === 'ready'));
    expect(logger.problems).toEqual([]);
  });
});

/** What shows that a command is missing: its error, or what health says. */
const SIGNS: Record<string, (service: RedlockService) => Promise<string>> = {
  eval: (service) => failureOf(service.acquire('k', '5s', { wait: 0 })),
  // The first call on a connection sends the script itself.
  evalsha: (service) =>
    failureOf(service.acquire('j', '5s', { wait: 0 }).then(() => service.acquire('k', '5s', { wait: 0 }))),
  getrange: (service) => failureOf(service.acquire('k', '5s', { wait: 0 })),
  set: (service) => failureOf(service.acquire('k', '5s', { wait: 0 })),
  time: (service) => failureOf(service.acquire('k', '5s', { wait: 0 })),
  del: async (service) => await failureOf((await service.acquire('k', '5s')).release()),
  pexpire: async (service) => await failureOf((await service.acquire('k', '5s')).extend()),
  pttl: (service) => failureOf(service.acquire('k', '5s', { wait: 0 })),
  info: (service) => illnessOf(service),
};

/** Those that only make waiting cheap. Without them it goes on, so there is no error to see. */
const COMFORTS = ['publish', 'subscribe', 'unsubscribe', 'pubsub|numsub'];

async function failureOf(call: Promise<unknown>): Promise<string> {
  return await call.then(
    () => 'nothing has failed',
    (error: unknown) => String(error),
  );
}

async function illnessOf(service: RedlockService): Promise<string> {
  await service.withLock('k', '5s', () => Promise.resolve());
  return JSON.stringify(await service.health());
}

describe('each command of docs/operations.md is needed', () => {
  const commands = RULES.filter((rule) => rule.startsWith('+')).map((rule) => rule.slice(1));

  it('and none is missing in this list', () => {
    expect(commands.toSorted()).toEqual([...Object.keys(SIGNS), ...COMFORTS].toSorted());
  });

  it.each(Object.keys(SIGNS))('without +%s the reason names it', async (command) => {
    // ioredis itself remarks on the console that it may not ask.
    const remarks = jest.spyOn(console, 'warn').mockImplementation(() => undefined);
    try {
      await allow([...RULES, `-${command}`]);
      // A script that another client has sent can be run without EVAL.
      for (const server of fleet.servers) await server.command('SCRIPT', 'FLUSH');
      const { service } = await boot(asUser());
      expect(await SIGNS[command]!(service)).toMatch(new RegExp(`'${command}'|\\b${command.toUpperCase()}\\b`));
    } finally {
      await allow(RULES);
      remarks.mockRestore();
    }
  });

  it('a list of an earlier version, with GET in the place of GETRANGE, goes on working', async () => {
    await allow([...RULES, '-getrange', '+get']);
    const { service } = await boot(asUser());
    await service.withLock('k', '2s', (lock) => lock.extend());
    expect((await service.inspect('k')).held).toBe(false);
    for (const server of fleet.servers) await server.command('SET', 'redlock:k', 'x'.repeat(5000));
    expect((await service.inspect('k')).owner).toBe('something that is not a lock of this package');
    expect(await service.forceRelease('k')).toBe(true);
    await allow(RULES);
  });

  it.each(COMFORTS)('without +%s waiters are served all the same', async (command) => {
    await allow([...RULES, `-${command}`]);
    const [first, second] = [await boot(asUser()), await boot(asUser())];
    const lock = await first.service.acquire('k', '2s');
    const waiting = second.service.acquire('k', '2s', { wait: '8s' });
    await lock.release();
    expect((await waiting).isHeld()).toBe(true);
    await allow(RULES);
  });
});

describe('P16: a wrong password', () => {
  it('is told as the reason, and appears nowhere', async () => {
    const wrong = 'wr0ng-secret';
    const { service, logger } = await boot(
      addresses().map((address) => ({ ...address, username: 'redlock', password: wrong })),
    );
    const error: unknown = await service.acquire('k', '2s', { wait: 0 }).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ code: 'QUORUM_UNREACHABLE', message: expect.stringContaining('WRONGPASS') });
    const health = await service.health();
    expect(health.quorum).toBe(false);
    const everything = [
      inspect(error, { depth: 9 }),
      JSON.stringify(error),
      JSON.stringify(health),
      ...logger.lines.map(({ text }) => text),
    ];
    expect(everything.join('\n')).not.toContain(wrong);
  });
});
