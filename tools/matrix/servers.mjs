import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './places.mjs';
import { NotHereError, run } from './run.mjs';

/** Servers, and the release of Debian that has each. */
export const SERVERS = {
  'Redis 7.0': { suite: 'bookworm', program: 'redis-server', version: /v=(7\.0[\d.]*)/ },
  'Redis 8.0': { suite: 'trixie', program: 'redis-server', version: /v=(8\.0[\d.]*)/ },
  'Valkey 8.1': { suite: 'trixie', program: 'valkey-server', version: /v=(8\.1[\d.]*)/ },
  'Valkey 9': { suite: 'forky', program: 'valkey-server', version: /v=(9[\d.]*)/ },
};

/** Starts independent servers on loopback, runs `use` with their urls, and ends them. */
export async function withServers(name, count, use) {
  const { binary, version } = await find(name);
  const folder = mkdtempSync(join(tmpdir(), 'redlock-matrix-'));
  const children = [];
  try {
    const urls = [];
    for (let index = 0; index < count; index++) {
      const port = await freePort();
      children.push(await start(binary, port, folder));
      urls.push(`redis://127.0.0.1:${port}`);
    }
    return await use(urls, version);
  } finally {
    await Promise.all(children.map(end));
    rmSync(folder, { recursive: true, force: true });
  }
}

async function find(name) {
  const { suite, program, version } = SERVERS[name];
  const folder = join(ROOT, '.cache', `servers-${suite}`);
  try {
    await run(join(ROOT, 'tools/fetch-server.sh'), [folder, suite]);
  } catch (error) {
    if (error.code === 69) throw new NotHereError(error.output.trim().split('\n').at(-1));
    throw error;
  }
  const binary = join(folder, program);
  const said = await run(binary, ['--version']).catch((error) => {
    throw new NotHereError(`Debian's ${suite} has no ${program}: ${error.message}`);
  });
  const found = version.exec(said)?.[1];
  if (found === undefined) throw new NotHereError(`Debian's ${suite} has another ${program}: ${said.trim()}`);
  return { binary, version: `${name.split(' ')[0]} ${found}` };
}

async function start(binary, port, folder) {
  const own = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder, '--logfile', '', '--daemonize', 'no'];
  const options = ['--save', '', '--appendonly', 'no', '--maxmemory-policy', 'noeviction', '--loglevel', 'notice'];
  const child = spawn(binary, [...own, ...options], { stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  await new Promise((resolve, reject) => {
    child.stdout.on('data', (text) => {
      log += text;
      if (log.includes('Ready to accept connections')) resolve();
    });
    child.once('error', reject);
    child.once('close', () => reject(new Error(`${binary} did not start: ${log.trim()}`)));
  });
  return child;
}

async function end(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = new Promise((resolve) => child.once('close', resolve));
  child.kill('SIGTERM');
  await closed;
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
