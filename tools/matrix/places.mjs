import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './run.mjs';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Outside of the repository: in it, a package that a project lacks would be found in the repository's own node_modules. */
export const CACHE = process.env.REDLOCK_MATRIX ?? join(tmpdir(), 'redlock-nestjs-matrix');

/** The folders of Node's releases and of projects are made once, and again when what is to be installed has changed. */
async function install(folder, manifest) {
  const text = `${JSON.stringify(manifest, undefined, 2)}\n`;
  const stamp = join(folder, 'node_modules/.installed');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === text) return;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), text);
  await run('npm', ['install', '--no-audit', '--no-fund', '--no-package-lock', '--prefer-offline'], { cwd: folder });
  writeFileSync(stamp, text);
}

/** A folder with these packages, and the environment in which they run. */
export async function project(name, manifest) {
  const folder = join(CACHE, name);
  await install(folder, { name, private: true, version: '0.0.0', ...manifest });
  return folder;
}

/** The bin/ of a release of Node: its own where it is the one that runs this, otherwise from its package. */
export async function nodeAt(major) {
  if (process.versions.node.startsWith(`${major}.`)) return join(process.execPath, '..');
  const name = `node-${process.platform}-${process.arch}`;
  const folder = await project(`node-${major}`, { dependencies: { [name]: `${major}` } });
  return join(folder, 'node_modules', name, 'bin');
}

export const withNode = (bin) => ({ PATH: `${bin}:${process.env.PATH}` });

let packing;

/** The package as it would be published. Built and packed once, where the sources are newer than the last time. */
export function packed() {
  return (packing ??= pack());
}

async function pack() {
  const out = join(CACHE, 'packed');
  mkdirSync(out, { recursive: true });
  const file = () => readdirSync(out).find((name) => name.endsWith('.tgz'));
  const last = file();
  if (last !== undefined && statSync(join(out, last)).mtimeMs > newest()) return join(out, last);
  await run('npm', ['run', '--silent', 'build'], { cwd: ROOT });
  const [made] = JSON.parse(
    await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', CACHE], { cwd: ROOT }),
  );
  // The content is in the name, so that npm installs it again when it has changed.
  const content = readFileSync(join(CACHE, made.filename));
  const hash = createHash('sha256').update(content).digest('hex').slice(0, 8);
  for (const name of readdirSync(out)) await run('rm', [join(out, name)]);
  const name = join(out, `redlock-nestjs-${made.version}-${hash}.tgz`);
  writeFileSync(name, content);
  return name;
}

function newest() {
  const files = readdirSync(join(ROOT, 'lib'), { recursive: true, withFileTypes: true });
  const paths = files.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  const build = ['package.json', 'tsconfig.json', 'tsconfig.build.json', 'tsconfig.cjs.json'];
  return Math.max(...[...paths, ...build.map((name) => join(ROOT, name))].map((path) => statSync(path).mtimeMs));
}

/** The versions that are installed in a project. */
export function versionsIn(folder, ...names) {
  return names.map((name) => {
    const { name: own, version } = JSON.parse(readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf8'));
    return `${own} ${version}`;
  });
}
