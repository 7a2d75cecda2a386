import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { start, type Fleet } from '../support/fleet.js';

const run = promisify(execFile);

/** The modules that a program loads, as Node resolves them. */
async function loadedBy(file: string, ...args: string[]): Promise<string[]> {
  const { stderr } = await run(process.execPath, ['--import', './test/long/package/print-loads.mjs', file, ...args]);
  return stderr.split('\n').filter((line) => line.startsWith('file:'));
}

describe('the package as it is published', () => {
  let fleet: Fleet;
  beforeAll(async () => {
    fleet = await start(3);
  });
  afterAll(() => fleet.stop());

  it('works from CommonJS, and beside its ES module copy in one process; nothing keeps that process alive', async () => {
    const { stdout } = await run(process.execPath, ['test/long/package/consumer.cjs', ...fleet.urls]);
    expect(JSON.parse(stdout)).toEqual({
      keys: ['job'],
      copies: 2,
      brands: [true, true],
      strange: false,
      current: ['held'],
    });
  });

  it('redlock-nestjs/testing takes locks, by require and by import on one memory; nothing keeps that process alive', async () => {
    const { stdout } = await run(process.execPath, ['test/long/package/testing.cjs']);
    expect(JSON.parse(stdout)).toEqual({ keys: ['job'], refused: true, lost: true, woken: true });
  });

  it('loads neither OpenTelemetry nor Terminus nor the parts for them, nor the page, unless these parts are imported', async () => {
    const optional =
      /@opentelemetry|@nestjs\/terminus|dist\/(?:cjs\/)?(?:otel|terminus|testing|dashboard)\/|lock-list|key-scan/;
    const loaded = async (...names: string[]): Promise<string[]> => {
      const { stdout } = await run(process.execPath, ['test/long/package/loaded.mjs', ...names]);
      return JSON.parse(stdout) as string[];
    };
    const files = await loaded('redlock-nestjs');
    expect(files.filter((file) => file.includes('/dist/')).length).toBeGreaterThan(100);
    expect(files.filter((file) => optional.test(file))).toEqual([]);
    const all = await loaded('redlock-nestjs/otel', 'redlock-nestjs/terminus', 'redlock-nestjs/dashboard');
    for (const part of [
      '@opentelemetry/api',
      '@nestjs/terminus',
      'dist/otel/',
      'dist/cjs/otel/',
      'dist/cjs/terminus/',
      'dist/dashboard/',
      'dist/cjs/dashboard/',
    ]) {
      expect(all.filter((file) => file.includes(part))).not.toEqual([]);
    }
  });

  it('redlock-nestjs/otel, redlock-nestjs/terminus and redlock-nestjs/dashboard work from CommonJS', async () => {
    const { stdout } = await run(process.execPath, ['test/long/package/optional.cjs']);
    expect(JSON.parse(stdout)).toEqual({
      status: 'up',
      grants: 1,
      spans: ['redlock.acquire', 'redlock.hold'],
      page: [200, 200],
    });
  });

  it('redlock-nestjs/contract runs under the test runner of Node, and flushes no database that is in use', async () => {
    const contract = ['--test-reporter=tap', 'test/long/package/contract.mjs'];
    const [first = '', second = ''] = fleet.urls;
    const { stdout } = await run(process.execPath, [...contract, `${first}/15`]);
    expect(stdout).toMatch(/^# pass [3-9]\d\n# fail 0$/m);
    const [server] = fleet.servers.slice(1);
    await server?.command('SET', 'data', 'of another program');
    const failure: unknown = await run(process.execPath, [...contract, second]).catch((error: unknown) => error);
    expect(failure).toMatchObject({ stdout: expect.stringMatching(/The database has \d+ keys/) });
    expect(await server?.keys()).toContain('data');
    await server?.command('DEL', 'data');
  });

  it('has a command that runs, loads nothing of Nest, and ends when it has answered', async () => {
    const { bin, version } = JSON.parse(await readFile('package.json', 'utf8')) as {
      bin: Record<string, string>;
      version: string;
    };
    const command = bin['redlock-nestjs'] ?? '';
    expect(await run(command, ['--version'])).toMatchObject({ stdout: `${version}\n` });
    const { stdout } = await run(command, ['doctor', ...fleet.urls]);
    expect(stdout).toContain('All is well: 3 of 3 servers can be counted on, and a lock needs 2.');
    // A pipe is no terminal, and what is long must not be cut when the process ends.
    const failure: unknown = await run(command, ['doctor', '127.0.0.1:1', '--json']).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: 2,
      stderr: '',
      stdout: expect.stringMatching(/^\{[^]*"unreachable"[^]*\}\n$/),
    });
    expect(await loadedBy('dist/cli/main.js', '--help')).toEqual(
      expect.not.arrayContaining([expect.stringMatching(/@nestjs|reflect-metadata|rxjs/)]),
    );
  });

  it('loads nothing of the command with the module', async () => {
    const loaded = await loadedBy('dist/index.js');
    expect(loaded).toContainEqual(expect.stringContaining('dist/client/lock-client.js'));
    expect(loaded).not.toContainEqual(expect.stringMatching(/dist\/cli\/|lock-list|key-scan/));
    expect((await readdir('dist/cjs')).includes('cli')).toBe(false);
  });

  it('has no source map, because the sources are not shipped', async () => {
    const files = (await readdir('dist', { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
    expect(files.length).toBeGreaterThan(100);
    expect(files.filter(({ name }) => name.endsWith('.map'))).toEqual([]);
    for (const { parentPath, name } of files) {
      expect(await readFile(join(parentPath, name), 'utf8')).not.toContain('sourceMappingURL');
    }
  });

  it('has a sound manifest', async () => {
    const { stdout } = await run(process.execPath, ['node_modules/publint/src/cli.js', '--strict']);
    expect(stdout).toContain('All good!');
  });

  it('has an API report that says what the build says, so that its diff shows each change for users', async () => {
    await run(process.execPath, ['tools/api.mjs', '--check']);
  });

  it('has no file, export or dependency that is not used, and none that is not listed', async () => {
    await run(process.execPath, ['node_modules/knip/bin/knip.js']);
  });

  it('has types that every way of resolving them finds', async () => {
    const { stdout } = await run(process.execPath, ['node_modules/@arethetypeswrong/cli/dist/index.js', '--pack', '.']);
    expect(stdout).toContain('No problems found');
  });
});
