import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { EventSource } from '../../lib/client/event-source.js';
import { LockClient } from '../../lib/client/lock-client.js';
import { toSettings } from '../../lib/client/options/module-options.js';
import { createShards, redisServers } from '../../lib/client/server-factory.js';
import { commandLine, type Outcome } from '../support/command-line.js';
import { forgetLocks } from '../support/forget-locks.js';
import { start, type Fleet } from '../support/fleet.js';

const NEVER = new Promise<never>(() => undefined);

describe('jobs, history, pause and resume', () => {
  let fleet: Fleet;
  let client: LockClient;

  beforeAll(async () => {
    fleet = await start(3, { direct: true });
    const settings = toSettings({ servers: fleet.urls, owner: 'web-1:42' });
    const events = new EventSource();
    client = new LockClient(settings, createShards(settings, redisServers(), events), events);
  });
  afterAll(async () => {
    await client.close(0);
    await fleet.stop();
  });
  afterEach(() => forgetLocks(fleet.servers));

  const run = (job: string, work: () => Promise<void> = () => Promise.resolve(), key = job): Promise<unknown> =>
    client.withLock(key, '10s', work, { job, tick: new Date(Date.UTC(2026, 0, 31, 2)), wait: 0 });
  const command = (...argv: string[]): Promise<Outcome> => commandLine([...argv, ...fleet.urls]);

  it('list each job with its last run, also one whose name is not its key', async () => {
    await run('invoices');
    await run('nightly', () => Promise.reject(new Error('out\nof paper')), 'report').catch(() => undefined);
    const { code, out } = await command('jobs');
    expect(code).toBe(0);
    expect(out).toMatch(/^invoices +- +\d{4}-\S+Z +succeeded +\d+ ms +web-1:42$/m);
    expect(out).toMatch(/^nightly +- +\d{4}-\S+Z +failed +\d+ ms +web-1:42$/m);
    const json = JSON.parse((await command('jobs', '--json')).out) as object;
    expect(json).toMatchObject({
      complete: true,
      jobs: [
        { job: 'invoices', paused: null, lastRun: { outcome: 'succeeded', tick: '2026-01-31T02:00:00.000Z' } },
        { job: 'nightly', lastRun: { outcome: 'failed', error: 'out\nof paper', trigger: 'schedule' } },
      ],
    });
    const { out: history } = await command('history', 'nightly');
    expect(history).toMatch(/2026-01-31T02:00:00.000Z +schedule +failed .*web-1:42 +\d{16} +out\\nof paper$/m);
    expect((await command('history', 'none', '--key', 'none')).out).toBe('No run of "none" is known.\n');
  });

  it('pause a job on all replicas, and say which run goes on; resume it', async () => {
    await new Promise<void>((resolve) => {
      const work = (): Promise<never> => {
        resolve();
        return NEVER;
      };
      void run('nightly', work, 'report').catch(() => undefined);
    });
    const { code, out } = await command('pause', 'nightly', '--for', '2h', '--reason', 'stock-taking');
    expect([code, out]).toEqual([
      0,
      expect.stringMatching(/^"nightly" is paused on all replicas for (2 h|120 min)\.\n.* goes on, on web-1:42\.\n$/),
    ]);
    expect((await command('jobs')).out).toMatch(/^nightly +paused for .*: stock-taking +.*running/m);
    await client.remove('report');
    await expect(run('nightly', undefined, 'report')).rejects.toMatchObject({
      reason: 'paused',
      owner: 'stock-taking',
    });
    expect((await command('resume', 'nightly')).out).toContain('is not paused any more');
    expect((await command('resume', 'nightly')).out).toBe('"nightly" was not paused.\n');
    await client.withLock('report', '10s', () => Promise.resolve(), { job: 'nightly', wait: 0 });
  });

  it('do not call a run dead whose lock they cannot know: a name of its own, and a key with a hash tag', async () => {
    await new Promise<void>((resolve) => {
      const work = (): Promise<never> => {
        resolve();
        return NEVER;
      };
      void run('sync', work, '{acct}:sync-lock').catch(() => undefined);
    });
    expect((await command('history', 'sync')).out).toMatch(/schedule +not ended /);
    expect((await command('jobs')).out).toMatch(/^sync .*not ended /m);
    expect((await command('pause', 'sync')).out).toMatch(/ may go on, on web-1:42\.\n$/);
    expect((await command('history', 'sync', '--key', '{acct}:sync-lock')).out).toMatch(/schedule +running /);
    await client.remove('{acct}:sync-lock');
  });

  it('pause a job that has never run, by its key', async () => {
    expect(JSON.parse((await command('pause', 'mails', '--key', 'mails', '--json')).out)).toEqual({
      job: 'mails',
      paused: { leftMs: null, reason: '' },
      running: null,
    });
    await expect(run('mails')).rejects.toMatchObject({ reason: 'paused', remainingMs: Infinity });
  });

  it('pause a job of several keys that has never run, by all of them in any order', async () => {
    const runAll = (keys: string[], job?: string): Promise<unknown> => {
      const options = { ...(job !== undefined && { job }), tick: new Date(Date.UTC(2026, 0, 31, 2)), wait: 0 };
      return client.withLock(keys, '10s', () => Promise.resolve(), options);
    };
    const { code, out } = await command('pause', 'a, b', '--key', 'b', '--key', 'a');
    const unknown = 'No run of it is known: make sure that a job of this name locks "b", "a", and no other key.\n';
    expect([code, out]).toEqual([0, `"a, b" is paused on all replicas until it is resumed.\n${unknown}`]);
    await expect(runAll(['b', 'a'])).rejects.toMatchObject({ reason: 'paused' });
    await command('pause', 'export', '--key', 'y', '--key', 'x');
    await expect(runAll(['y', 'x'], 'export')).rejects.toMatchObject({ reason: 'paused' });

    expect((await command('resume', 'a, b', '--key', 'a', '--key', 'b')).out).toContain(' is not paused any more: ');
    await runAll(['b', 'a']);
    expect((await command('pause', 'a, b', '--key', 'a', '--key', 'b')).out).not.toContain('No run of it is known');
  });

  /** In a process of its own, as a shell does it. */
  const runInApp = (job: string, env: Record<string, string> = {}, ...argv: string[]): Promise<Outcome> =>
    new Promise((resolve) => {
      const args = ['--import', './test/support/ts-loader.mjs', './lib/cli/main.ts', 'run', job, ...argv];
      const all = { ...process.env, APP_SERVERS: fleet.urls.join(','), ...env };
      const child = execFile(process.execPath, args, { env: all }, (_, out, err) => {
        resolve({ code: child.exitCode ?? -1, out, err });
      });
    });
  const APP = ['--app', 'test/long/cli-jobs/app.module.ts'];

  it('run a job of an application once, in a process of its own', async () => {
    const { code, out, err } = await runInApp('yearly', {}, ...APP);
    expect([code, out]).toEqual([0, expect.stringMatching(/^"yearly" has run: succeeded after \d+ ms\.\n$/)]);
    expect(err).toMatch(/^fencing token \d{16}$/m);
    expect((await command('history', 'yearly')).out).toMatch(/ manual +succeeded /);

    expect(await runInApp('yearly', { FAILS: '1' }, ...APP)).toMatchObject({
      code: 1,
      out: '"yearly" has run: failed: out of paper\n',
    });
    await command('pause', 'yearly', '--reason', 'stock-taking');
    expect(await runInApp('yearly', {}, ...APP)).toMatchObject({
      code: 2,
      err: expect.stringContaining('"yearly" is paused'),
    });
    expect((await runInApp('hourly', {}, ...APP)).err).toMatch(/"hourly".*yearly/);
    expect((await runInApp('yearly')).err).toMatch(/run takes --app <file>/);
    expect((await runInApp('yearly', {}, '--app', 'test/support/eventually.ts')).err).toMatch(/exports no module/);
    expect((await runInApp('yearly', {}, '--app', 'none.js')).err).toMatch(/none\.js cannot be loaded/);
  });

  it('run ends, and fires no tick, however the application starts', async () => {
    const app = (name: string): string[] => ['--app', `test/long/cli-jobs/${name}.module.ts`];
    const slow = await runInApp('yearly', {}, ...app('slow-hook'));
    expect([slow.code, slow.err]).toEqual([0, expect.not.stringContaining('TICK')]);
    const failed = await runInApp('yearly', { INNER: '1' }, ...app('slow-hook'));
    expect([failed.code, failed.out]).toEqual([1, expect.stringContaining('has run: failed: "cellar" is locked by')]);
    expect(await runInApp('mails', {}, ...app('own-cron'))).toMatchObject({ code: 0, err: 'sent\n' });
    expect(await runInApp('yearly', {}, ...app('boot-fails'))).toMatchObject({
      code: 2,
      err: expect.stringContaining('the database is away'),
    });
  });

  it('say nothing of a reader that has read enough', async () => {
    await run('invoices');
    const args = ['--import', './test/support/ts-loader.mjs', './lib/cli/main.ts', 'jobs', ...fleet.urls];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    expect([await text(child.stderr), child.exitCode ?? ((await once(child, 'exit')) as [number])[0]]).toEqual(['', 0]);
  });

  it('pause finds a job that has not run for long by its key alone', async () => {
    const { code, err } = await command('pause', 'monthly');
    expect([code, err]).toEqual([
      2,
      expect.stringContaining('no run of this job is known with the prefix "redlock:" (--prefix)'),
    ]);
    await run('a');
    await run('b');
    expect((await command('pause', 'monthly', '--limit', '1')).err).toContain('not all jobs were read');
    expect((await command('pause', 'monthly', '--key', 'report')).code).toBe(0);
    await expect(run('monthly', undefined, 'report')).rejects.toMatchObject({ reason: 'paused' });
    expect((await command('resume', 'monthly', '--key', 'report')).code).toBe(0);
    await run('monthly', undefined, 'report');
  });

  it('end with 2 without a majority, and say which servers are missing', async () => {
    for (const server of fleet.servers.slice(1)) await server.kill();
    const { code, err } = await commandLine(['pause', 'mails', '--key', 'mails', ...fleet.urls, '--timeout', '1s']);
    const listed = await commandLine(['jobs', ...fleet.urls, '--timeout', '1s']);
    const named = await commandLine(['pause', 'mails', ...fleet.urls, '--timeout', '1s']);
    for (const server of fleet.servers.slice(1)) await server.restart();
    expect([code, listed.code, named.code]).toEqual([2, 2, 2]);
    expect(listed.out.match(/^\S+ has not been searched: connect ECONNREFUSED /gm)).toHaveLength(2);
    expect(named.err).toMatch(
      /^redlock-nestjs: the job was not found\. \S+ has not been searched: connect ECONNREFUSED /,
    );
    expect(err).toMatch(/Could not read the register of "mails": 2 of 3 servers must take part and 2 cannot/);
  });
});
