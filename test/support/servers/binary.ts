import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import { packageRoot } from './package-root.js';
import { run } from './run.js';

const NAMES = ['redis-server', 'valkey-server'];

export interface Binary {
  readonly path: string;
  readonly origin: string;
}

/** A server that is installed. */
export async function binaryOnPath(): Promise<Binary> {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  for (const name of NAMES) {
    for (const folder of folders) {
      const path = join(folder, name);
      if (await isExecutable(path)) return { path, origin: `${name} ${await version(path)} from PATH` };
    }
  }
  throw new Error(`neither ${NAMES.join(' nor ')} is on the PATH`);
}

/** Debian's own server, unpacked into the cache folder without installing anything; 4 s once, nothing later. */
export async function binaryFromDebian(): Promise<Binary> {
  const folder = resolve(packageRoot(), process.env.REDLOCK_CACHE ?? '.cache', 'servers');
  const path = join(folder, 'redis-server');
  if (!(await isExecutable(path))) {
    await run('bash', [join(packageRoot(), 'tools', 'fetch-server.sh'), folder], 180_000);
  }
  return { path, origin: `redis-server ${await version(path)} from Debian, unpacked in ${folder}` };
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** Doubles as the check that the binary runs here at all. */
async function version(path: string): Promise<string> {
  const output = await run(path, ['--version'], 10_000);
  return /\bv=([\d.]+)/.exec(output)?.[1] ?? 'of unknown version';
}
