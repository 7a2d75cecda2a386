import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { compile } from '../support/compiled.js';
import { type Fleet, type FleetServer, start } from '../support/fleet.js';
import { packageRoot } from '../support/servers/package-root.js';
import { run } from '../support/servers/run.js';
import { until } from '../support/servers/until.js';

const docker = (...args: string[]): Promise<string> => run('docker', args, 30_000);
/** Containers of fleets that live, of whatever run: told apart by comparing before and after. */
const containers = async (): Promise<string[]> =>
  (await docker('ps', '--all', '--format', '{{.Names}}', '--filter', 'name=redlock-fleet-'))
    .split('\n')
    .filter(Boolean);
const dial = async (port: number): Promise<string> => {
  const socket = connect(port, '127.0.0.1');
  const outcome = await once(socket, 'connect').catch((error: unknown) => (error as NodeJS.ErrnoException).code);
  socket.destroy();
  return Array.isArray(outcome) ? 'accepted' : String(outcome);
};
const withClient = async <T>({ url }: FleetServer, use: (client: Redis) => Promise<T>): Promise<T> => {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null, disconnectTimeout: 10 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await use(client);
  } finally {
    client.disconnect();
  }
};

describe('a fleet of containers', () => {
  let before: string[];
  let fleet: Fleet;
  let servers: [FleetServer, FleetServer, FleetServer, FleetServer, FleetServer];

  beforeAll(async () => {
    before = await containers();
    fleet = await start(5, { kind: 'docker' });
    servers = [...fleet.servers] as typeof servers;
  }, 180_000);

  afterAll(async () => {
    await fleet.stop();
    await fleet.stop();
    expect(await containers()).toEqual(before);
    expect(await Promise.all(servers.map(({ port }) => dial(port)))).toEqual(Array(5).fill('ECONNREFUSED'));
  }, 60_000);

  it('is five independent masters, each behind its own url', async () => {
    expect(fleet.origin).toContain(process.env.REDIS_IMAGE ?? 'redis:7-alpine');
    expect(await Promise.all(servers.map((server) => withClient(server, (client) => client.ping())))).toEqual(
      Array(5).fill('PONG'),
    );
    await servers[2].command('SET', 'a', '1');
    expect(await Promise.all(servers.map((server) => server.keys()))).toEqual([[], [], ['a'], [], []]);
  });

  it('kill refuses connections; restart keeps the port and the data', async () => {
    const [server] = servers;
    const { port } = server;
    await server.command('SET', 'kept', '1');
    await server.kill();
    expect([server.running, await dial(port)]).toEqual([false, 'ECONNREFUSED']);
    await expect(server.command('PING')).rejects.toThrow('refused: server-1 is dead');
    await server.restart();
    expect([server.running, server.port]).toEqual([true, port]);
    expect(await withClient(server, (client) => client.get('kept'))).toBe('1');
  });

  it('restart without data starts empty, on the same port', async () => {
    const [, server] = servers;
    const { port } = server;
    await server.command('SET', 'forgotten', '1');
    await server.restart({ data: false });
    expect(server.port).toBe(port);
    expect(await withClient(server, (client) => client.keys('*'))).toEqual([]);
  });

  it('pause leaves TCP open and answers nothing; what was sent is executed after resume', async () => {
    const [, , , server] = servers;
    await withClient(server, async (client) => {
      await server.pause();
      const answer = client.set('late', '1');
      expect(await dial(server.port)).toBe('accepted');
      expect(await Promise.race([answer, sleep(200, 'silence')])).toBe('silence');
      await server.resume();
      expect(await answer).toBe('OK');
    });
  });

  it('a paused server dies of kill without another word', async () => {
    const [, , , server] = servers;
    await withClient(server, async (client) => {
      await server.pause();
      const answer = client.set('never', '1').catch(() => 'lost');
      await sleep(50);
      await server.kill();
      expect(await answer).toBe('lost');
    });
    await server.restart();
    expect(await server.keys('never')).toEqual([]);
    await server.pause(); // So that stop() meets a paused one.
  });

  it('slow makes answers take longer', async () => {
    const [, , , , server] = servers;
    await server.slow(150);
    await withClient(server, async (client) => {
      const startedAtMs = performance.now();
      await client.ping();
      expect(performance.now() - startedAtMs).toBeGreaterThanOrEqual(148);
    });
  });
});

describe('the end of a fleet of containers', () => {
  it('comes with the end of its owner by SIGKILL', async () => {
    await using compiled = await compile('test/support');
    const before = await containers();
    const script = `
      import { start } from '${compiled.folder}/test/support/fleet.js';
      const { servers } = await start(2, { kind: 'docker' });
      await servers[1].pause();
      console.log('ready');`;
    const owner = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(owner.stdout, 'data');
    expect(await containers()).toHaveLength(before.length + 2);
    owner.kill('SIGKILL');
    await until('its containers are gone', 20_000, async () => (await containers()).length === before.length);
  }, 60_000);
});

/** Not every engine has the plugin. */
const hasCompose = await docker('compose', 'version').then(
  () => true,
  () => false,
);

describe('docker-compose.yml', () => {
  const file = join(packageRoot(), 'docker-compose.yml');
  const ports = ['6381', '6382', '6383', '6384', '6385'];

  it('describes five masters, each on a port of its own that only this machine reaches', async () => {
    const bindings = (await readFile(file, 'utf8')).matchAll(/redis-\d: .*'127\.0\.0\.1:(\d+):6379'/g);
    expect([...bindings].map(([, port]) => port)).toEqual(ports);
  });

  if (hasCompose) {
    it('is what Docker Compose understands by that', async () => {
      const config = await docker('compose', '--file', file, 'config', '--format', 'json');
      const { services } = JSON.parse(config) as { services: Record<string, { ports: { published: string }[] }> };
      expect(Object.values(services).flatMap((service) => service.ports.map(({ published }) => published))).toEqual(
        ports,
      );
    });
  }
});
