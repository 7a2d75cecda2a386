import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventSource } from '../../lib/client/event-source.js';
import { LockClient } from '../../lib/client/lock-client.js';
import { toSettings } from '../../lib/client/options/module-options.js';
import { createShards, redisServers } from '../../lib/client/server-factory.js';
import type { RedlockOptions } from '../../lib/interfaces/index.js';
import { createAuthority } from '../support/certificate.js';
import { commandLine, type Outcome, type Surroundings } from '../support/command-line.js';
import { eventually } from '../support/eventually.js';
import { start, type Fleet, type FleetServer, type Release } from '../support/fleet.js';
import { send } from '../support/servers/admin.js';
import { findPlace } from '../support/servers/choose.js';
import { NotHereError } from '../support/servers/not-here.error.js';
import { onFreePort } from '../support/servers/port.js';
import { RELEASES } from '../support/servers/release.js';

const PASSWORD = 'pa55word-of-a-test';

interface Found {
  readonly code: string;
  readonly level: string;
  readonly server?: string;
  readonly what: string;
}

interface Report {
  readonly exitCode: number;
  readonly sound: number;
  readonly servers: readonly { state: string; version?: string; clockOffsetMs?: number }[];
  readonly findings: readonly Found[];
}

/** What the doctor says as JSON; the exit code is the same as that of the process. */
async function doctor(urls: readonly string[], surroundings?: Surroundings): Promise<Report> {
  const { code, out, err } = await commandLine(['doctor', ...urls, '--json', '--timeout', '3s'], surroundings);
  expect(err).toBe('');
  const report = JSON.parse(out) as Report;
  expect(report.exitCode).toBe(code);
  return report;
}

/** Without that a server is slow: a machine that is busy with other tests makes it so. */
const codesIn = ({ findings }: Report, server?: string): string[] =>
  findings
    .filter(({ level, code }) => level !== 'note' && code !== 'slow')
    .filter((each) => server === undefined || each.server === server)
    .map(({ code }) => code);

const nameOf = ({ host, port }: FleetServer): string => `${host}:${port}`;

const clients: LockClient[] = [];

/** A process of an application. */
function lockClient(urls: readonly string[], options: RedlockOptions = {}): LockClient {
  const settings = toSettings({ servers: [...urls], owner: 'web-1:42', ...options });
  const events = new EventSource();
  const client = new LockClient(settings, createShards(settings, redisServers(), events), events);
  clients.push(client);
  return client;
}

const releases = Object.keys(RELEASES) as Release[];
const searches = await Promise.all(
  releases.map((release) =>
    findPlace({ release }).then(
      () => ({ release, missing: undefined }),
      (error: unknown) => ({ release, missing: error }),
    ),
  ),
);

it('is tried on every release of a server that this machine can have', () => {
  expect(searches.filter(({ missing }) => missing !== undefined && !(missing instanceof NotHereError))).toEqual([]);
  expect(searches.some(({ missing }) => missing === undefined)).toBe(true);
});

for (const { release } of searches.filter(({ missing }) => missing === undefined)) {
  describe(release, () => {
    let fleet: Fleet;
    beforeAll(async () => {
      fleet = await start(3, { release, direct: true, args: ['--enable-debug-command', 'yes'] });
    });
    afterAll(() => fleet.stop());
    afterEach(async () => {
      for (const client of clients.splice(0)) await client.close(0);
      for (const server of fleet.servers) await server.command('FLUSHALL');
    });

    const third = (): FleetServer => fleet.servers[2]!;

    /** Changes a setting of the third server for a while. */
    async function withSettings<T>(settings: Readonly<Record<string, string>>, work: () => Promise<T>): Promise<T> {
      const before: [string, string][] = [];
      for (const [name, value] of Object.entries(settings)) {
        before.push([name, ((await third().command('CONFIG', 'GET', name)) as string[])[1] ?? '']);
        await third().command('CONFIG', 'SET', name, value);
      }
      try {
        return await work();
      } finally {
        for (const [name, value] of before) await third().command('CONFIG', 'SET', name, value);
      }
    }

    describe('doctor', () => {
      it('finds nothing wrong with three servers, and leaves no lock, and no key that does not expire', async () => {
        const report = await doctor(fleet.urls);
        expect(report).toMatchObject({ exitCode: 0, sound: 3, servers: [{ state: 'ready' }, {}, {}] });
        expect(report.findings.map(({ code }) => code)).toEqual(['unused-prefix']);
        for (const { version, clockOffsetMs = NaN } of report.servers) {
          expect(version).toMatch(/^\d+\.\d+/);
          expect(Math.abs(clockOffsetMs)).toBeLessThan(1000);
        }
        expect((await commandLine(['locks', ...fleet.urls])).out).toContain('No locks with the prefix "redlock:".');
        for (const server of fleet.servers) {
          // -2: it has expired since.
          for (const key of await server.keys()) expect(await server.command('PTTL', key)).not.toBe(-1);
        }
      });

      it('says each finding in three parts, for people', async () => {
        await third().kill();
        const { code, out } = await commandLine(['doctor', ...fleet.urls]);
        await third().restart();
        expect(code).toBe(1);
        expect(out).toMatch(
          /^error: 127\.0\.0\.1:\d+ cannot be reached \(connect ECONNREFUSED .*\): it does not vote: start the server, or correct/m,
        );
        expect(out).toContain('Locks work, with warnings: 2 of 3 servers can be counted on, and a lock needs 2.');
      });

      it('finds a server that is not there, and too few that are', async () => {
        await third().kill();
        const one = await doctor(fleet.urls);
        await fleet.servers[1]!.kill();
        const two = await doctor(fleet.urls);
        for (const server of fleet.servers.slice(1)) await server.restart();
        expect([one.exitCode, codesIn(one)]).toEqual([1, ['unreachable']]);
        expect([two.exitCode, codesIn(two)]).toEqual([2, ['unreachable', 'unreachable', 'no-majority']]);
      });

      it('finds a server that accepts connections and does not answer', async () => {
        await third().pause();
        const report = await doctor(fleet.urls);
        await third().resume();
        expect([report.exitCode, codesIn(report)]).toEqual([1, ['silent']]);
      });

      it('finds a server that needs a password', async () => {
        await third().command('CONFIG', 'SET', 'requirepass', PASSWORD);
        const without = await doctor(fleet.urls);
        const url = `redis://:${PASSWORD}@${nameOf(third())}`;
        const within = await doctor([...fleet.urls.slice(0, 2), url]);
        await send(url, 'CONFIG', 'SET', 'requirepass', '');
        expect([without.exitCode, codesIn(without)]).toEqual([1, ['needs-password']]);
        expect([within.exitCode, codesIn(within)]).toEqual([0, []]);
      });

      it.each<[string, string[], string[], number]>([
        ['a command of the lock script', ['~*', '&*', '+@all', '-pexpire'], ['no-permission'], 2],
        ['EVAL', ['~*', '&*', '+@all', '-eval'], ['no-permission'], 2],
        ['the keys of locks', ['~{*', '&*', '+@all'], ['no-permission'], 2],
        ['the channels of locks', ['~*', '&other:*', '+@all'], ['no-channels'], 1],
        ['SUBSCRIBE', ['~*', '&*', '+@all', '-subscribe'], ['no-channels'], 1],
        ['INFO', ['~*', '&*', '+@all', '-info'], ['not-inspected'], 1],
      ])('finds a user that may not use %s', async (_, rules, codes, exitCode) => {
        const remarks = jest.spyOn(console, 'warn').mockImplementation(() => undefined); // Of ioredis.
        for (const server of fleet.servers) {
          await server.command('ACL', 'SETUSER', 'locks', 'reset', 'on', `>${PASSWORD}`, ...rules);
        }
        const env = { REDLOCK_USERNAME: 'locks', REDLOCK_PASSWORD: PASSWORD };
        const report = await doctor(fleet.urls, { env });
        const expected = [...codes, ...codes, ...codes, ...(exitCode === 2 ? ['no-majority'] : [])];
        expect([report.exitCode, codesIn(report)]).toEqual([exitCode, expected]);
        remarks.mockRestore();
      });

      it('finds a wrong password, and shows it nowhere', async () => {
        const env = { REDLOCK_USERNAME: 'locks', REDLOCK_PASSWORD: PASSWORD, REDLOCK_SERVERS: fleet.urls.join(', ') };
        for (const server of fleet.servers) await server.command('ACL', 'SETUSER', 'locks', 'reset', 'on', '>another');
        expect(codesIn(await doctor([], { env }))).toEqual([...Array<string>(3).fill('wrong-password'), 'no-majority']);
        for (const argv of [['doctor'], ['doctor', '--json'], ['locks'], ['inspect', 'k'], ['release', 'k', '--yes']]) {
          const { code, out, err } = await commandLine(argv, { env });
          expect(code).toBe(2);
          expect(out + err).not.toContain(PASSWORD);
        }
      });

      it('finds a replica', async () => {
        await third().command('REPLICAOF', fleet.servers[0]!.host, String(fleet.servers[0]!.port));
        const report = await doctor(fleet.urls);
        await third().command('REPLICAOF', 'NO', 'ONE');
        expect([report.exitCode, codesIn(report)]).toEqual([1, ['replica']]);
      });

      it('finds a server that is loading its data', async () => {
        await third().command('DEBUG', 'POPULATE', '400', 'data', '200');
        await third().command('CONFIG', 'SET', 'loading-process-events-interval-bytes', '1024');
        await third().command('CONFIG', 'SET', 'key-load-delay', '20000');
        const reload = third()
          .command('DEBUG', 'RELOAD')
          .catch(() => undefined);
        await eventually(async () => String(await third().command('INFO', 'persistence')).includes('loading:1'));
        const report = await doctor(fleet.urls);
        await third().command('CONFIG', 'SET', 'key-load-delay', '0');
        await reload;
        await eventually(async () => String(await third().command('INFO', 'persistence')).includes('loading:0'));
        expect([report.exitCode, codesIn(report)]).toEqual([1, ['loading']]);
      });

      it.each<[string, string, Readonly<Record<string, string>>]>([
        ['a full server', 'full', { maxmemory: '1' }],
        ['an eviction policy', 'may-evict', { 'maxmemory-policy': 'allkeys-lru', maxmemory: '100mb' }],
        ['a missing append-only file', 'no-append-only-file', { appendonly: 'no' }],
        ['missing replicas', 'few-replicas', { 'min-replicas-to-write': '1' }],
      ])('finds %s', async (_, code, settings) => {
        const report = await withSettings(settings, () => doctor(fleet.urls));
        expect(report.exitCode).toBe(1);
        // A server without the file that this test has started lately was restarted lately.
        expect(codesIn(report, nameOf(third())).filter((each) => each !== 'restarted')).toEqual([code]);
      });

      it('finds a server under two names, and one name twice', async () => {
        const [one = '', two = ''] = fleet.urls;
        const twin = await doctor([one, two, one.replace('127.0.0.1', 'localhost')]);
        const same = await doctor([one, two, one]);
        expect([twin.exitCode, twin.sound, codesIn(twin)]).toEqual([1, 2, ['duplicate']]);
        expect([same.exitCode, same.sound, codesIn(same)]).toEqual([1, 2, ['duplicate']]);
      });

      it('finds the clock of this machine wrong', async () => {
        const now = Date.now.bind(Date);
        const clock = jest.spyOn(Date, 'now').mockImplementation(() => now() + 5000);
        const report = await doctor(fleet.urls);
        clock.mockRestore();
        expect([report.exitCode, codesIn(report)]).toEqual([1, ['clock-here']]);
        expect(report.findings.find(({ code }) => code === 'clock-here')?.what).toContain('5.0 s ahead');
      });

      it('finds one server, and an even number of them', async () => {
        expect(codesIn(await doctor(fleet.urls.slice(0, 1)))).toEqual(['one-server']);
        expect(codesIn(await doctor(fleet.urls.slice(0, 2)))).toEqual(['even-number']);
      });

      it('finds a server that has no marker, and one whose loss a process has noticed', async () => {
        const client = lockClient(fleet.urls);
        await client.withLock('k', '1s', () => Promise.resolve());
        await eventually(async () => (await third().keys('*:marker')).length === 1);
        expect(codesIn(await doctor(fleet.urls))).toEqual([]);
        await third().command('DEL', '{redlock:}:marker');
        expect(codesIn(await doctor(fleet.urls))).toEqual(['no-marker']);
        await client.withLock('k', '1s', () => Promise.resolve());
        await eventually(async () => (await third().keys('*:marker')).length === 1);
        expect(codesIn(await doctor(fleet.urls))).toEqual(['lost-data']);
      });

      it('finds a node of a cluster', async () => {
        await using cluster = await start(1, { release, direct: true, args: ['--cluster-enabled', 'yes'] });
        const report = await doctor([...fleet.urls.slice(0, 2), ...cluster.urls]);
        expect([report.exitCode, codesIn(report)]).toEqual([1, ['cluster', 'cluster-node']]);
      });

      it('finds a server without Lua scripts', async () => {
        await using dumb = await start(1, { release, direct: true, args: ['--rename-command', 'EVAL', ''] });
        const report = await doctor([...fleet.urls.slice(0, 2), ...dumb.urls]);
        expect([report.exitCode, codesIn(report)]).toEqual([1, ['no-scripts']]);
      });

      it('finds TLS where there is none, none where there is TLS, and a certificate that is not trusted', async () => {
        const folder = await mkdtemp(join(tmpdir(), 'redlock-cli-'));
        const authority = createAuthority('the authority of a test');
        const files = { 'ca-cert': authority.cert, ...authority.issue() };
        const args = ['--tls-auth-clients', 'no'];
        for (const [name, text] of Object.entries(files)) {
          await writeFile(join(folder, name), text);
          args.push(`--tls-${name === 'cert' || name === 'key' ? name : 'ca-cert'}-file`, join(folder, name));
        }
        let secure: Fleet | undefined;
        const port = await onFreePort(async (free) => {
          secure = await start(1, {
            release,
            direct: true,
            kind: 'local',
            args: [...args, '--tls-port', String(free)],
          });
          return free;
        });
        const plain = secure?.servers[0]?.port ?? 0;
        try {
          const find = async (url: string, env = {}): Promise<string[]> => codesIn(await doctor([url], { env }));
          expect(await find(`rediss://127.0.0.1:${plain}`)).toContain('no-tls');
          expect((await find(`redis://127.0.0.1:${port}`))[0]).toMatch(/^(needs-tls|unreachable)$/);
          expect(await find(`rediss://127.0.0.1:${port}`)).toContain('certificate');
          const env = { REDLOCK_TLS_CA: join(folder, 'ca-cert') };
          expect(await find(`rediss://127.0.0.1:${port}`, env)).toEqual(['one-server']);
        } finally {
          await secure?.stop();
          await rm(folder, { recursive: true });
        }
      });
    });

    describe('locks, inspect and release', () => {
      interface Listed {
        key: string;
        holder: string;
        owner?: string;
        remainingMs?: number | null;
        fencingToken?: number;
        servers: { state: string }[];
      }
      const list = async (...argv: string[]): Promise<{ locks: Listed[]; ticks?: Listed[]; complete: boolean }> => {
        const { out } = await commandLine(['locks', ...fleet.urls, '--json', ...argv]);
        return JSON.parse(out) as Awaited<ReturnType<typeof list>>;
      };
      const onAll = async (...command: string[]): Promise<void> => {
        for (const server of fleet.servers) await server.command(...command);
      };

      it('list a lock with its holder, time left and fencing token; ticks only when they are asked for', async () => {
        const client = lockClient(fleet.urls);
        const lock = await client.acquire('invoices', '30s', { tick: new Date(Date.UTC(2026, 0, 31)) });
        await eventually(
          async () => (await Promise.all(fleet.servers.map((s) => s.keys('*:tick:*')))).flat().length === 3,
        );
        const { locks, ticks, complete } = await list();
        expect(locks).toMatchObject([{ key: 'invoices', holder: 'majority', owner: 'web-1:42' }]);
        expect([locks[0]?.fencingToken, ticks, complete]).toEqual([lock.fencingToken, undefined, true]);
        expect(locks[0]?.remainingMs).toBeGreaterThan(10_000);
        const all = await list('--ticks');
        expect(all.ticks).toMatchObject([{ job: ['invoices'], tick: '2026-01-31T00:00:00.000Z', holder: 'majority' }]);
        const { out } = await commandLine(['locks', ...fleet.urls, '--ticks']);
        expect(out).toMatch(/^invoices {2}web-1:42 +\d+\.\d s +\d{16} +3 of 3$/m);
        expect(out).toMatch(/^invoices {2}2026-01-31T00:00:00.000Z +web-1:42 +\d+ (h|min)/m);
        await lock.release();
      });

      it('say of a lock on a minority that it is not held, and leave keys of other prefixes out', async () => {
        await third().command('SET', 'redlock:few', 'token 5 web-2:1', 'PX', '60000');
        await onAll('SET', 'shop:redlock', 'x');
        await onAll('SET', 'xredlock:k', 'token 5 web-2:1');
        await onAll('HSET', 'redlock:strange', 'a', 'b');
        const { locks } = await list();
        expect(locks.map(({ key, holder }) => [key, holder])).toEqual([
          ['few', 'minority'],
          ['strange', 'majority'],
        ]);
        expect(locks[1]).toMatchObject({ owner: 'something that is not a lock of this package', remainingMs: null });
        const { out } = await commandLine(['locks', ...fleet.urls]);
        expect(out).toMatch(/^few .*web-2:1.* 1 of 3: no majority, so it is not held$/m);
      });

      it('show hostile names as escapes, and JSON gives them back', async () => {
        const key = 'a\nb\u001b[31m\u202e{x}"\\*?[';
        await onAll('SET', `redlock:${key}`, 'token 5 evil\u001b]0;owned\u0007\nname', 'PX', '60000');
        const { locks } = await list();
        expect(locks).toMatchObject([{ key, holder: 'majority' }]);
        for (const argv of [['locks'], ['locks', '--json'], ['inspect', key], ['inspect', key, '--json']]) {
          const { code, out } = await commandLine([
            ...argv.slice(0, argv[0] === 'inspect' ? 2 : 1),
            ...fleet.urls,
            ...argv.slice(argv[0] === 'inspect' ? 2 : 1),
          ]);
          expect([code, out.match(/[^\P{Cc}\n]|\u202e/gu)]).toEqual([0, null]);
          expect(out).toContain(argv.includes('--json') ? '\\n' : String.raw`a\nb\u001b[31m\u202e`);
        }
        const { code } = await commandLine(['release', key, ...fleet.urls, '--yes']);
        expect([code, (await list()).locks]).toEqual([0, []]);
      });

      it('find a thousand locks in a few calls of SCAN each, and none of KEYS', async () => {
        const client = lockClient(fleet.urls);
        await Promise.all(Array.from({ length: 1000 }, (_, index) => client.acquire(`lock-${index}`, '60s')));
        await onAll('CONFIG', 'RESETSTAT');
        const { locks, complete } = await list();
        const stats = await Promise.all(fleet.servers.map((server) => server.command('INFO', 'commandstats')));
        for (const text of stats.map(String)) {
          const calls = Number(/cmdstat_scan:calls=(\d+)/.exec(text)?.[1]);
          expect(calls).toBeGreaterThan(0);
          expect(calls).toBeLessThanOrEqual(6);
          expect(text).not.toContain('cmdstat_keys:');
        }
        expect([locks.length, complete, locks.every(({ holder }) => holder === 'majority')]).toEqual([
          1000,
          true,
          true,
        ]);
        const few = await list('--limit', '10');
        expect([few.locks.length, few.complete]).toEqual([10, false]);
        const { code, out } = await commandLine(['locks', ...fleet.urls, '--limit', '10']);
        expect([code, out]).toEqual([
          0,
          expect.stringContaining('may not be complete: it ends after 10 locks (--limit)'),
        ]);
      });

      it('go on without a minority of the servers, and end with 2 without a majority', async () => {
        await lockClient(fleet.urls.slice(0, 2)).acquire('k', '60s');
        await third().kill();
        const codes = async (): Promise<number[]> => {
          const argvs = [['locks'], ['inspect', 'k'], ['release', 'k', '--yes']];
          const outcomes: Outcome[] = [];
          for (const argv of argvs) outcomes.push(await commandLine([...argv, ...fleet.urls]));
          return outcomes.map(({ code }) => code);
        };
        const few = await codes();
        await fleet.servers[1]!.kill();
        const none = await codes();
        for (const server of fleet.servers.slice(1)) await server.restart();
        expect([few, none]).toEqual([
          [1, 1, 0],
          [2, 2, 2],
        ]);
      });

      it('release what was confirmed, and never the lock of a later holder', async () => {
        const questions: string[] = [];
        const release = (answer: (question: string) => string | Promise<string>): Promise<Outcome> =>
          commandLine(['release', 'k', ...fleet.urls], {
            answer: (question) => {
              questions.push(question);
              return answer(question);
            },
          });
        const client = lockClient(fleet.urls);
        const lock = await client.acquire('k', '60s');
        expect((await release(() => 'n')).code).toBe(1);
        expect((await list()).locks).toHaveLength(1);
        const late = await release(async () => {
          await lock.release();
          await client.acquire('k', '60s');
          return 'y';
        });
        expect([late.code, (await list()).locks.length]).toEqual([1, 1]);
        const done = await release(() => 'yes');
        expect([done.code, (await list()).locks]).toEqual([0, []]);
        expect(questions[0]).toMatch(/^Release "k" of web-1:42\? .* \[y\/N\] $/);
        expect((await release(() => 'y')).out).toContain('Not released. "k" is free.');
        expect(questions).toHaveLength(3);
        expect(await commandLine(['release', 'k', ...fleet.urls])).toMatchObject({
          code: 2,
          err: expect.stringContaining('release takes --yes where there is no terminal to ask on'),
        });
      });
    });
  });
}
