import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { compile } from '../support/compiled.js';
import { type Fleet, type FleetOptions, type FleetServer, start } from '../support/fleet.js';
import { processState } from '../support/servers/process-state.js';

const environment = { ...process.env };
const fleets: Fleet[] = [];
const clients: Redis[] = [];

/** A fleet of processes, whatever the environment of this run says, stopped after the test. */
const fleetOf = async (n: number, options: FleetOptions = {}): Promise<Fleet> => {
  const fleet = await start(n, { kind: 'local', ...options });
  fleets.push(fleet);
  return fleet;
};
const only = async (options: FleetOptions = {}): Promise<FleetServer> => at(await fleetOf(1, options), 0);
const at = ({ servers }: Fleet, index: number): FleetServer => {
  const server = servers[index];
  if (server === undefined) throw new Error(`The fleet has no server ${index}.`);
  return server;
};
/** A client as an application has one: it connects to the url, through the relay, and gives up at once. */
const clientOf = async ({ url }: FleetServer): Promise<Redis> => {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null, disconnectTimeout: 10 });
  client.on('error', () => undefined);
  clients.push(client);
  await client.connect();
  return client;
};
const dial = async (port: number): Promise<string> => {
  const socket = connect(port, '127.0.0.1');
  const outcome = await once(socket, 'connect').catch((error: unknown) => (error as NodeJS.ErrnoException).code);
  socket.destroy();
  return Array.isArray(outcome) ? 'accepted' : String(outcome);
};
const info = async (server: FleetServer, field: string): Promise<string> =>
  new RegExp(`^${field}:(.*?)\\r?$`, 'm').exec(String(await server.command('INFO')))?.[1] ?? '';
/** What a server occupies on this machine: a process and the folder of its fleet. */
const traces = async (server: FleetServer): Promise<{ pid: number; root: string }> => {
  const [, folder] = (await server.command('CONFIG', 'GET', 'dir')) as [string, string];
  return { pid: Number(await info(server, 'process_id')), root: dirname(folder) };
};
const isGone = async ({ pid, root }: { pid: number; root: string }): Promise<boolean> =>
  ['', 'Z'].includes(await processState(pid)) && !existsSync(root);

afterEach(async () => {
  process.env = { ...environment };
  for (const client of clients.splice(0)) client.disconnect();
  await Promise.all(fleets.splice(0).map((fleet) => fleet.stop()));
});

describe('a fleet', () => {
  it('is so many independent masters, each behind its own url', async () => {
    const fleet = await fleetOf(5);
    expect(fleet.servers.map(({ name, running }) => [name, running])).toEqual(
      [1, 2, 3, 4, 5].map((number) => [`server-${number}`, true]),
    );
    expect(fleet.urls).toEqual(fleet.servers.map(({ port }) => `redis://127.0.0.1:${port}`));
    expect(fleet.origin).toMatch(/^(redis|valkey)-server [\d.]+ from /);
    const ids = await Promise.all(fleet.servers.map((server) => info(server, 'run_id')));
    expect(new Set(ids).size).toBe(5);
    expect(await Promise.all(fleet.servers.map((server) => info(server, 'role')))).toEqual(Array(5).fill('master'));
    expect(await (await clientOf(at(fleet, 3))).set('a', '1')).toBe('OK');
    expect(await Promise.all(fleet.servers.map((server) => server.keys()))).toEqual([[], [], [], ['a'], []]);
  });

  it('starts its servers with the arguments that it is given', async () => {
    const server = await only({ args: ['--maxclients', '77'] });
    expect(await server.command('CONFIG', 'GET', 'maxclients')).toEqual(['maxclients', '77']);
  });

  it('connects straight to the servers when it is direct, and then cannot slow them down', async () => {
    const server = await only({ direct: true });
    expect(await info(server, 'tcp_port')).toBe(String(server.port));
    await expect(server.slow(10)).rejects.toThrow('refused: server-1 is direct');
    await server.kill();
    expect(await dial(server.port)).toBe('ECONNREFUSED');
    await server.restart();
    expect(await (await clientOf(server)).ping()).toBe('PONG');
  });

  it('refuses to be empty', async () => {
    await expect(start(0)).rejects.toThrow('at least one server');
    await expect(start(1.5)).rejects.toThrow('at least one server');
  });

  it('shows the matching keys, in order', async () => {
    const server = await only();
    for (const key of ['b:2', 'a:1', 'b:1']) await server.command('SET', key, '1');
    expect(await server.keys()).toEqual(['a:1', 'b:1', 'b:2']);
    expect(await server.keys('b:*')).toEqual(['b:1', 'b:2']);
    await expect(server.command()).rejects.toThrow('at least a name');
  });
});

describe('kill and restart', () => {
  it('kill drops connections and refuses new ones', async () => {
    const server = await only();
    const client = await clientOf(server);
    const ended = once(client, 'end');
    const { pid } = await traces(server);
    await server.kill();
    await ended;
    expect(server.running).toBe(false);
    expect(await dial(server.port)).toBe('ECONNREFUSED');
    expect(await processState(pid)).toBe('');
    await server.kill();
    await expect(server.command('PING')).rejects.toThrow('refused: server-1 is dead');
    await expect(server.pause()).rejects.toThrow('refused: pause of server-1, which is dead');
    await expect(server.resume()).rejects.toThrow('refused: resume of server-1, which is dead');
  });

  it('restart keeps the port and every write that was answered', async () => {
    const server = await only();
    const client = await clientOf(server);
    const { port } = server;
    await Promise.all(Array.from({ length: 500 }, (_, index) => client.set(`key-${index}`, '1')));
    await server.kill();
    await server.restart();
    expect(server.port).toBe(port);
    expect(await (await clientOf(server)).dbsize()).toBe(500);
  });

  it('restart without data starts empty, and kills what still runs', async () => {
    const server = await only();
    await server.command('SET', 'a', '1');
    const { pid } = await traces(server);
    await server.restart({ data: false });
    expect(await server.keys()).toEqual([]);
    expect(await processState(pid)).toBe('');
    await server.command('SET', 'b', '1');
    await server.restart();
    expect(await server.keys()).toEqual(['b']);
  });

  it('a server that dies on its own is as dead as one that was killed', async () => {
    const server = await only();
    const ended = once(await clientOf(server), 'end');
    await server.command('SHUTDOWN', 'NOSAVE').catch(() => undefined);
    await ended;
    await server.kill();
    expect(await dial(server.port)).toBe('ECONNREFUSED');
    await server.restart();
    expect(await (await clientOf(server)).ping()).toBe('PONG');
  });

  it('verbs of one server take their turns', async () => {
    const server = await only();
    const verbs = [server.restart(), server.kill(), server.restart({ data: false }), server.pause(), server.resume()];
    await Promise.all(verbs);
    expect(await server.command('PING')).toBe('PONG');
  });
});

describe('pause and slow', () => {
  it('pause leaves TCP open and answers nothing; what was sent is executed after resume', async () => {
    const server = await only();
    const client = await clientOf(server);
    await server.pause();
    expect(server.running).toBe(true);
    const answer = client.set('late', '1');
    expect(await dial(server.port)).toBe('accepted');
    expect(await Promise.race([answer, sleep(150, 'silence')])).toBe('silence');
    await expect(server.keys()).rejects.toThrow('refused: server-1 is paused');
    await server.resume();
    expect(await answer).toBe('OK');
    expect(await server.keys()).toEqual(['late']);
  });

  it('a paused server can be killed and restarted', async () => {
    const server = await only();
    await server.pause();
    await server.restart();
    expect(await server.command('PING')).toBe('PONG');
  });

  it('slow makes every answer take so much longer, without standing in the way of a direct look', async () => {
    const server = await only();
    const client = await clientOf(server);
    const roundTripMs = async (): Promise<number> => {
      const startedAtMs = performance.now();
      await client.ping();
      return performance.now() - startedAtMs;
    };
    await server.slow(200);
    expect(await roundTripMs()).toBeGreaterThanOrEqual(198);
    await server.slow(60_000);
    const startedAtMs = performance.now();
    await server.keys();
    await server.slow(0);
    await roundTripMs();
    expect(performance.now() - startedAtMs).toBeLessThan(30_000);
  });
});

describe('the end of a fleet', () => {
  it('leaves neither processes nor data nor listeners, paused and dead servers included', async () => {
    const fleet = await fleetOf(3);
    const left = await Promise.all(fleet.servers.map(traces));
    await at(fleet, 0).pause();
    await at(fleet, 1).kill();
    await Promise.all([fleet.stop(), fleet.stop()]);
    await fleet.stop();
    expect(await Promise.all(left.map(isGone))).toEqual([true, true, true]);
    expect(await Promise.all(fleet.servers.map(({ port }) => dial(port)))).toEqual(Array(3).fill('ECONNREFUSED'));
    expect(fleet.servers.map(({ running }) => running)).toEqual([false, false, false]);
  });

  it('comes while verbs are under way: the one that runs is finished, those that wait are refused', async () => {
    const fleet = await fleetOf(1);
    const left = await traces(at(fleet, 0));
    const running = at(fleet, 0).restart();
    await sleep(1);
    const waiting = at(fleet, 0).restart();
    const outcome = Promise.allSettled([running, waiting]);
    await fleet.stop();
    expect((await outcome).map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    await expect(at(fleet, 0).restart()).rejects.toThrow('refused: the fleet of server-1 has been stopped');
    expect(await isGone(left)).toBe(true);
  });

  it.each(['SIGKILL', 'SIGINT'] as const)('comes with the end of its owner by %s', async (signal) => {
    await using compiled = await compile('test/support');
    const script = `
      import { start } from '${join(compiled.folder, 'test/support/fleet.js')}';
      const { servers } = await start(3, { kind: 'local' });
      const traces = await Promise.all(servers.map(async (server) => ({
        pid: Number(/process_id:(\\d+)/.exec(await server.command('INFO', 'server'))[1]),
        root: (await server.command('CONFIG', 'GET', 'dir'))[1].replace(/.server-\\d+$/, ''),
      })));
      await servers[1].pause();
      console.log(JSON.stringify(traces));`;
    const owner = spawn(process.execPath, ['--input-type=module', '-e', script], {
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(owner.stdout, 'data')) as [Buffer];
    const left = JSON.parse(line.toString()) as { pid: number; root: string }[];
    expect(await Promise.all(left.map(isGone))).toEqual([false, false, false]);
    // To the whole group, as a terminal does on Ctrl-C: the servers are not in it.
    process.kill(-(owner.pid ?? 0), signal);
    await once(owner, 'exit');
    for (let attempt = 0; attempt < 100; attempt += 1) {
      if ((await Promise.all(left.map(isGone))).every(Boolean)) break;
      await sleep(20);
    }
    expect(await Promise.all(left.map(isGone))).toEqual([true, true, true]);
  });
});

describe('where servers come from', () => {
  beforeEach(() => {
    delete process.env.REDLOCK_FLEET;
    delete process.env.REDLOCK_SERVERS;
  });

  it('REDLOCK_SERVERS are used as they are, and never harmed', async () => {
    const theirs = await fleetOf(3);
    await at(theirs, 0).command('SET', 'theirs', '1');
    process.env.REDLOCK_SERVERS = theirs.urls.join(', ');
    const fleet = await fleetOf(2, { kind: undefined });
    expect(fleet.urls).toEqual(theirs.urls.slice(0, 2));
    expect(fleet.origin).toBe('2 running servers from REDLOCK_SERVERS');
    const server = at(fleet, 0);
    expect(server).toMatchObject({ name: 'server-1', host: '127.0.0.1', port: at(theirs, 0).port, running: true });
    for (const verb of ['kill', 'pause', 'resume', 'restart'] as const) {
      await expect(server[verb]()).rejects.toThrow(`refused: ${verb} of server-1, which comes from REDLOCK_SERVERS`);
    }
    await expect(server.slow(1)).rejects.toThrow('refused: slow of server-1');
    await expect(server.command('flushall')).rejects.toThrow('refused: flushall of server-1');
    await fleet.stop();
    expect(await server.keys()).toEqual(['theirs']);
    expect(await server.command('PING')).toBe('PONG');
  });

  it.each([
    ['too few', 'redis://127.0.0.1:1', 'REDLOCK_SERVERS names 1 servers, and 2 are needed'],
    ['one twice', 'redis://127.0.0.1:1,redis://127.0.0.1:1', 'names a server twice'],
    ['no url', 'localhost,redis://127.0.0.1:1', "'localhost' is not a url"],
  ])('REDLOCK_SERVERS with %s is an error that says so', async (_, servers, message) => {
    process.env.REDLOCK_SERVERS = servers;
    await expect(start(2)).rejects.toThrow(message);
  });

  it('REDLOCK_FLEET knows two families', async () => {
    process.env.REDLOCK_FLEET = 'cloud';
    await expect(start(1)).rejects.toThrow("REDLOCK_FLEET is 'cloud': it may be 'local' or 'docker'");
  });

  it('says of every way why it failed, when none works', async () => {
    const empty = await mkdtemp(join(tmpdir(), 'redlock-empty-'));
    process.env.PATH = empty;
    process.env.REDLOCK_CACHE = empty;
    const error = await fleetOf(1, { kind: undefined }).catch(String);
    await rm(empty, { recursive: true });
    expect(error).toMatch(/REDLOCK_SERVERS: .*\n.*PATH: neither .*\n.*Docker: .*\n.*Debian: /);
  });
});
