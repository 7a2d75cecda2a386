import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { start, type Fleet } from '../support/fleet.js';
import { eventually } from '../support/eventually.js';
import { allPages } from '../support/pages.js';

const run = promisify(execFile);
const LOADER = resolve('test/support/ts-loader.mjs');
const PAGES = allPages();

/** Each test of a page loads Nest and compiles its files. On a busy machine, only what hangs is to fail by this. */
const TIMEOUT_MS = 300_000;

/** Tests, suites that ask a server, starts of an application, and what reads a file that is not there. */
const NOT_LOADED = /(?:spec|contract)\.ts$|^main\.ts$|^secure/;

/** Within the package, so that the imports of a reader's files are found. */
let folder: string;
let fleet: Fleet;

beforeAll(async () => {
  await mkdir('.cache', { recursive: true });
  folder = await mkdtemp(resolve('.cache', 'docs-'));
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
  for (const { path, blocks } of PAGES) {
    for (const { file, code } of blocks) {
      if (file === undefined) continue;
      const target = join(folder, path.replaceAll('/', '-'), file);
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, code);
    }
  }
  fleet = await start(1, { direct: true });
});
afterAll(async () => {
  await fleet.stop();
  await rm(folder, { recursive: true, force: true });
});

describe('the code of the documentation', () => {
  it(
    'its tests pass',
    async () => {
      const jest = ['--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js'];
      const pattern = `<rootDir>/${relative('.', folder)}/**/*.spec.ts`;
      // One project of the package's own settings, for these files alone.
      const config = join(folder, 'jest.config.mjs');
      await writeFile(
        config,
        `import own from '${resolve('jest.config.mjs')}';
       export default { ...own.projects[0], displayName: 'docs', testTimeout: own.testTimeout, rootDir: '${resolve('.')}', testMatch: ['${pattern}'] };`,
      );
      const { stderr } = await run(process.execPath, [...jest, '--config', config], { timeout: TIMEOUT_MS - 10_000 });
      const tests = PAGES.flatMap(({ blocks }) => blocks).filter(({ file }) => file?.endsWith('.spec.ts'));
      expect(tests.length).toBeGreaterThanOrEqual(8);
      expect(stderr).toMatch(new RegExp(`^Tests: +${tests.length} passed, ${tests.length} total$`, 'm'));
    },
    TIMEOUT_MS,
  );

  it(
    'its application starts with a Redis of this machine, and ends with SIGTERM',
    async () => {
      const main = join(folder, 'README.md', 'main.ts');
      const child = spawn(process.execPath, ['--import', LOADER, main], {
        env: { ...process.env, PORT: '0', REDIS_URLS: fleet.urls.join() },
      });
      let said = '';
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => (said += text.toString()));
      const closed = once(child, 'close');
      try {
        await eventually(() => said.includes('successfully started') || child.exitCode !== null, {
          withinMs: TIMEOUT_MS - 10_000,
        });
        child.kill('SIGTERM');
        const [code, signal] = (await closed) as [number | null, NodeJS.Signals | null];
        expect({ said, code, signal }).toEqual({
          said: expect.not.stringContaining('ERROR'),
          code: null,
          signal: 'SIGTERM',
        });
      } finally {
        child.kill('SIGKILL');
      }
    },
    TIMEOUT_MS,
  );

  it(
    'loads: each block that is no test and no start of an application',
    async () => {
      const files = PAGES.flatMap(({ path, blocks }) =>
        blocks.flatMap(({ file }) =>
          file === undefined || NOT_LOADED.test(file) ? [] : [join(folder, path.replaceAll('/', '-'), file)],
        ),
      );
      const script = `await import('reflect-metadata'); for (const file of ${JSON.stringify(files)}) await import(file);`;
      await run(process.execPath, ['--import', LOADER, '--input-type=module', '--eval', script], {
        timeout: TIMEOUT_MS - 10_000,
      });
    },
    TIMEOUT_MS,
  );
});
