import 'reflect-metadata';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { RedlockModule, RedlockService } from 'redlock-nestjs';
import { eventually } from '../support/eventually.js';
import { start, type Fleet } from '../support/fleet.js';
import { OwnProcess } from '../support/process.js';
import type { Grant, Command } from './fencing/holder.interface.js';
import { disorder, takeovers } from './fencing/order.js';

/*
 * A share of what `npm run test:long` has. `REDLOCK_GRANTS=2000 npm run jest -- e2e/fencing.spec` takes minutes. It is the
 * same test, and a share of it is enough to find a fencing token that is not written back.
 */
const GRANTS = Number(process.env.REDLOCK_GRANTS ?? 30);
const PROCESSES = Number(process.env.REDLOCK_HOLDERS ?? 5);

type Holder = OwnProcess<Command, Grant[] | undefined>;

describe('P2: processes that stand still past their ttl, and servers that are killed and restarted with their data', () => {
  let fleet: Fleet;
  let holders: Holder[];
  beforeAll(async () => {
    holders = Array.from({ length: PROCESSES }, () => new OwnProcess(new URL('fencing/holder.ts', import.meta.url)));
    fleet = await start(3, { direct: true });
    await Promise.all(holders.map((holder) => holder.ask({ kind: 'boot', servers: fleet.urls })));
  });
  afterAll(async () => {
    await Promise.all(holders.map((holder) => holder.stop()));
    await fleet.stop();
  });

  it(
    `fencing tokens grow strictly in the order of the grants: ${PROCESSES} processes, ${GRANTS} grants each, one key`,
    async () => {
      const over = new AbortController();
      const restarted = restartServers(fleet, over.signal);
      const taken = holders.map((holder) => holder.ask({ kind: 'take', grants: GRANTS }));
      const grants = (await Promise.all(taken).finally(() => over.abort())).flatMap((own) => own ?? []);
      const restarts = await restarted;
      await Promise.all(holders.map((holder) => holder.ask({ kind: 'close' })));

      expect(disorder(grants).slice(0, 10)).toEqual([]);
      expect(grants).toHaveLength(PROCESSES * GRANTS);
      // It was put to the test: locks were taken over while their holders stood still, and servers came back.
      expect(takeovers(grants)).toBeGreaterThan(0);
      expect(restarts).toBeGreaterThanOrEqual(3);
    },
    120_000 + PROCESSES * GRANTS * 40,
  );
});

/** One server, two, all of them at once, and again: with its data a server may come and go. Returns how many did. */
async function restartServers({ servers }: Fleet, over: AbortSignal): Promise<number> {
  let restarts = 0;
  for (let wave = 0; ; wave++) {
    await sleep(100 + Math.random() * 300, undefined, { signal: over }).catch(() => undefined);
    if (over.aborted) return restarts;
    const first = Math.floor(Math.random() * servers.length);
    const broken = [...servers.slice(first), ...servers.slice(0, first)].slice(0, 1 + (wave % servers.length));
    await Promise.all(broken.map((server) => server.kill()));
    await sleep(Math.random() * 100);
    await Promise.all(broken.map((server) => server.restart({ data: true })));
    restarts += broken.length;
  }
}

it('would notice a token that comes twice, one out of turn, and one that is behind what was known', () => {
  const grant = (fence: number, askedAtMs: number, knownAtMs: number, inTime = true): Grant => ({
    fence,
    askedAtMs,
    knownAtMs,
    inTime,
    overAtMs: knownAtMs + 10,
  });
  expect(disorder([grant(1, 0, 1), grant(3, 2, 5), grant(4, 2, 6), grant(2, 2, 7, false)])).toEqual([]);
  expect(takeovers([grant(2, 2, 7), grant(1, 0, 1), grant(3, 20, 30)])).toBe(1);
  expect(disorder([grant(1, 0, 3), grant(1, 2, 4)])).toEqual(['two grants have the token 1']);
  expect(disorder([grant(2, 0, 3), grant(1, 2, 4)])).toEqual(['held with 2, and then with 1']);
  expect(disorder([grant(2, 0, 3), grant(1, 4, 5, false)])).toEqual(['known with 2, and asked for later with 1']);
});

describe('P2: in the healthy steady state', () => {
  const HOUR_MS = 3600 * 1000;
  let fleet: Fleet;
  let app: INestApplicationContext;
  let service: RedlockService;
  beforeAll(async () => {
    fleet = await start(3, { direct: true });
    @Module({ imports: [RedlockModule.forRoot(fleet.urls)] })
    class AppModule {}
    app = await NestFactory.createApplicationContext(AppModule, { logger: false });
    service = app.get(RedlockService);
    await eventually(async () => (await service.health()).servers.every(({ state }) => state === 'ready'));
  });
  afterAll(async () => {
    await app.close();
    await fleet.stop();
  });

  /** How many scripts each server has run. */
  async function scripts(): Promise<number[]> {
    const stats = await Promise.all(fleet.servers.map((server) => server.command('INFO', 'commandstats')));
    return stats.map((text) =>
      [...String(text).matchAll(/cmdstat_eval(?:sha)?:calls=(\d+)/g)].reduce(
        (sum, [, calls]) => sum + Number(calls),
        0,
      ),
    );
  }

  const counters = (key: string): Promise<unknown[]> =>
    Promise.all(fleet.servers.map((server) => server.command('GET', `{redlock:${key}}:fence`)));

  /** A grant that was given back, once each server has run the scripts for both. */
  async function grant(key: string): Promise<number> {
    const before = await scripts();
    const lock = await service.acquire(key, '5s');
    await lock.release();
    await eventually(async () => (await scripts()).every((calls, index) => calls >= before[index]! + 2));
    return lock.fencingToken;
  }

  it('P18: a grant and its release are one script each on each server, from the first one on, and the token is one more', async () => {
    const before = await scripts();
    const tokens: number[] = [];
    for (let index = 0; index < 10; index++) tokens.push(await grant('steady'));
    for (let index = 0; index < 10; index++) await grant(`order:${index}`);
    expect(await scripts()).toEqual(before.map((calls) => calls + 2 * 20));
    expect(tokens).toEqual(tokens.map((_, index) => tokens[0]! + index));
    expect(new Set(await counters('steady')).size).toBe(1);
  });

  it('P18: a counter begins at the time of day, and lives for fencingRetention, or twice as long as a longer lock', async () => {
    const beganAtMs = Date.now();
    const token = await grant('new');
    expect(token).toBeGreaterThan(beganAtMs * 1000);
    expect(token).toBeLessThan((Date.now() + 1000) * 1000);
    const lifeMs = async (): Promise<number[]> =>
      (await Promise.all(fleet.servers.map((server) => server.command('PTTL', '{redlock:new}:fence')))).map(Number);
    for (const leftMs of await lifeMs()) {
      expect(leftMs).toBeGreaterThan(HOUR_MS - 60_000);
      expect(leftMs).toBeLessThanOrEqual(HOUR_MS);
    }
    const lock = await service.acquire('new', '2h');
    await eventually(async () => (await lifeMs()).every((leftMs) => leftMs > 4 * HOUR_MS - 60_000));
    await lock.release();
  });

  it('P2: a counter that another program has written to is told in health(), and the other servers go on', async () => {
    const before = await grant('written');
    await fleet.servers[0]?.command('SET', '{redlock:written}:fence', '9007199254740992');
    const both = await service.acquire(['written', 'beside'], '5s');
    expect(both.fencingToken).toBeGreaterThan(before);
    expect(both.fencingToken).toBeLessThan((Date.now() + 1000) * 1000);
    await both.release();
    const told = async (): Promise<string> => JSON.stringify((await service.health()).servers);
    await eventually(async () => (await told()).includes('{redlock:written}:fence'));
    expect((await told()).match(/\{redlock:written\}:fence/g)).toHaveLength(1);

    await fleet.servers[0]?.command('DEL', '{redlock:written}:fence');
    expect(await grant('written')).toBeGreaterThan(both.fencingToken);
    expect(await told()).not.toContain('fence');
  });

  it.each<[string, string[]]>([
    ['a hash', ['HSET', 'redlock:foreign', 'field', 'value']],
    ['30 MB', ['SETRANGE', 'redlock:foreign', String(30 * 1024 * 1024), 'x']],
  ])(
    'P7: a key that holds %s is held, inspect says so in a few words, and forceRelease frees it',
    async (_, command) => {
      for (const server of fleet.servers) await server.command(...(command as [string, ...string[]]));
      await expect(service.acquire('foreign', '5s', { wait: 0 })).rejects.toMatchObject({ code: 'LOCK_CONTENDED' });
      const seen = await service.inspect('foreign');
      expect(seen).toMatchObject({ held: true, owner: 'something that is not a lock of this package' });
      expect(JSON.stringify(seen).length).toBeLessThan(1000);
      expect(await service.forceRelease('foreign')).toBe(true);
      await (await service.acquire('foreign', '5s', { wait: 0 })).release();
    },
  );
});
