import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE, nodeAt, packed, project, ROOT, versionsIn, withNode } from '../places.mjs';
import { run, runUntil } from '../run.mjs';
import { withServers } from '../servers.mjs';

/** As the README says what to install, and how its code differs. */
const RELEASES = {
  12: {
    schedule: '@nestjs/schedule',
    adapt: (code) => code,
    runner: (code) =>
      code.replace(
        "import { expect, it, jest } from '@jest/globals'",
        "import { expect, it, vi as jest } from 'vitest'",
      ),
  },
  11: {
    schedule: '@nestjs/schedule@6',
    adapt: (code) => code.replaceAll(/from '(\.\/[^']+)\.js'/g, "from '$1'"),
    runner: (code) => code,
  },
};

/** A project of `nest new`, with the code of the README: it is built, its tests pass, and it starts and ends. */
export async function started(major) {
  const env = withNode(await nodeAt(24));
  const folder = await newProject(major, env);
  const manifest = join(folder, 'package.json');
  const tarball = await packed();
  const stamp = join(folder, '.installed');
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== tarball) {
    const install = ['install', '--no-audit', '--no-fund', '--prefer-offline'];
    await run('npm', [...install, tarball, 'ioredis', RELEASES[major].schedule], { cwd: folder, env });
    writeFileSync(stamp, tarball);
  }
  writeReadme(folder, major);
  await run('npm', ['run', 'build'], { cwd: folder, env });
  await run('npm', ['test'], { cwd: folder, env: { ...env, CI: '1' } });
  await withServers('Redis 7.0', 3, async (urls) => {
    const own = { ...env, PORT: '0', REDIS_URLS: urls.join() };
    await runUntil('node', [mainOf(folder)], 'successfully started', { cwd: folder, env: own });
  });
  const runner = 'vitest' in (JSON.parse(readFileSync(manifest, 'utf8')).devDependencies ?? {}) ? 'vitest' : 'jest';
  return versionsIn(folder, '@nestjs/core', '@nestjs/schedule', 'ioredis', runner, 'typescript');
}

const mainOf = (folder) => ['dist/main.js', 'dist/src/main.js'].find((file) => existsSync(join(folder, file)));

async function newProject(major, env) {
  const cli = await project(`cli-${major}`, { dependencies: { '@nestjs/cli': `^${major}` } });
  const folder = join(CACHE, `app-${major}`);
  if (existsSync(join(folder, 'package.json'))) return folder;
  rmSync(folder, { recursive: true, force: true });
  const nest = join(cli, 'node_modules/@nestjs/cli/bin/nest.js');
  const choices = ['--skip-install', '--skip-git', '--package-manager', 'npm'];
  const made = join(cli, `app-${major}`);
  rmSync(made, { recursive: true, force: true });
  await run('node', [nest, 'new', `app-${major}`, ...choices], { cwd: cli, env });
  // Out of reach of the node_modules of the command.
  renameSync(made, folder);
  return folder;
}

/** The files of the README, in the place of those of the project. */
function writeReadme(folder, major) {
  const { adapt, runner } = RELEASES[major];
  const text = readFileSync(join(ROOT, 'README.md'), 'utf8');
  mkdirSync(join(folder, 'src'), { recursive: true });
  for (const [, name, code] of text.matchAll(/^```ts\n\/\/ (\S+\.ts)\n([\s\S]*?)^```$/gm)) {
    const adapted = name.endsWith('.spec.ts') ? runner(adapt(code)) : adapt(code);
    writeFileSync(join(folder, 'src', name), name === 'main.ts' && major === '11' ? inFunction(adapted) : adapted);
  }
}

/** CommonJS has no await outside of a function. */
function inFunction(code) {
  const at = code.indexOf('const app');
  return `${code.slice(0, at)}async function bootstrap() {\n${code.slice(at)}}\nvoid bootstrap();\n`;
}
