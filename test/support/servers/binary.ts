import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import { NotHereError } from './not-here.error.js';
import { packageRoot } from './package-root.js';
import { type Release, RELEASES } from './release.js';
import { run } from './run.js';

const NAMES = ['redis-server', 'valkey-server'];
/** What `fetch-server.sh` ends with where it cannot work, as opposed to where it fails; or there is no bash to run it. */
const UNAVAILABLE: readonly unknown[] = [69, 'ENOENT'];

export interface Binary {
  readonly path: string;
  readonly origin: string;
}

/** A server that is installed: of the given release, or any. */
export async function binaryOnPath(release?: Release): Promise<Binary> {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  const others: string[] = [];
  for (const name of NAMES) {
    for (const folder of folders) {
      const path = join(folder, name);
      if (!(await isExecutable(path))) continue;
      const banner = await bannerOf(path);
      if (isOf(release, banner)) return { path, origin: `${name} ${versionIn(banner)} from PATH` };
      others.push(`${name} ${versionIn(banner)}`);
    }
  }
  if (others.length > 0) throw new NotHereError(`has only ${others.join(' and ')}`);
  throw new NotHereError(`neither ${NAMES.join(' nor ')} is on the PATH`);
}

/**
 * Debian's own server, unpacked into the cache folder without installing anything; 5 s once, nothing later. Without a
 * release it is the one of this machine's own Debian, and where that is another one than asked for, a second is fetched.
 */
export async function binaryFromDebian(release?: Release): Promise<Binary> {
  const cache = resolve(packageRoot(), process.env.REDLOCK_CACHE ?? '.cache');
  const own = join(cache, 'servers');
  if (release === undefined) return (await unpacked(own, 'redis-server')) ?? fail(own, 'redis-server');

  const { program, suite } = RELEASES[release];
  const other = join(cache, `servers-${suite}`);
  for (const [folder, name] of [[own], [other, suite]] as const) {
    const binary = await unpacked(folder, program, name, release);
    if (binary !== undefined) return binary;
  }
  return fail(other, program, release);
}

/** Fetches into a folder what is not there yet; none where what it has then is not of the release. */
async function unpacked(
  folder: string,
  program: string,
  suite?: string,
  release?: Release,
): Promise<Binary | undefined> {
  if (!(await isExecutable(join(folder, 'redis-server')))) {
    const args = [join(packageRoot(), 'tools', 'fetch-server.sh'), folder, ...(suite === undefined ? [] : [suite])];
    await run('bash', args, 180_000).catch((error: unknown) => {
      const { message, cause } = error as Error;
      throw UNAVAILABLE.includes((cause as { code?: unknown }).code) ? new NotHereError(message) : error;
    });
  }
  const path = join(folder, program);
  if (!(await isExecutable(path))) return undefined;
  const banner = await bannerOf(path);
  if (!isOf(release, banner)) return undefined;
  return { path, origin: `${program} ${versionIn(banner)} from Debian, unpacked in ${folder}` };
}

function fail(folder: string, program: string, release?: Release): never {
  throw new Error(
    `${folder} has no ${program}${release === undefined ? '' : ` of ${release}`}: remove it to fetch anew`,
  );
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** Doubles as the check that the binary runs here at all. */
function bannerOf(path: string): Promise<string> {
  return run(path, ['--version'], 10_000);
}

function isOf(release: Release | undefined, banner: string): boolean {
  return release === undefined || RELEASES[release].banner.test(banner);
}

function versionIn(banner: string): string {
  return /\bv=([\d.]+)/.exec(banner)?.[1] ?? 'of unknown version';
}
