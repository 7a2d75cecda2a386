import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { start, type Fleet } from '../support/fleet.js';

const run = promisify(execFile);

describe('the package as it is published', () => {
  let fleet: Fleet;
  beforeAll(async () => {
    fleet = await start(3);
  });
  afterAll(() => fleet.stop());

  it('works from CommonJS, and beside its ES module copy in one process; nothing keeps that process alive', async () => {
    const { stdout } = await run(process.execPath, ['test/e2e/package/consumer.cjs', ...fleet.urls]);
    expect(JSON.parse(stdout)).toEqual({
      keys: ['job'],
      copies: 2,
      brands: [true, true],
      strange: false,
      current: ['held'],
    });
  });

  it('redlock-nestjs/testing takes locks, by require and by import on one memory; nothing keeps that process alive', async () => {
    const { stdout } = await run(process.execPath, ['test/e2e/package/testing.cjs']);
    expect(JSON.parse(stdout)).toEqual({ keys: ['job'], refused: true, lost: true, woken: true });
  });

  it('loads neither OpenTelemetry nor Terminus nor the parts for them, unless these parts are imported', async () => {
    const optional = /@opentelemetry|@nestjs\/terminus|dist\/(?:cjs\/)?(?:otel|terminus|testing)\//;
    const loaded = async (...names: string[]): Promise<string[]> => {
      const { stdout } = await run(process.execPath, ['test/e2e/package/loaded.mjs', ...names]);
      return JSON.parse(stdout) as string[];
    };
    const files = await loaded('redlock-nestjs');
    expect(files.filter((file) => file.includes('/dist/')).length).toBeGreaterThan(100);
    expect(files.filter((file) => optional.test(file))).toEqual([]);
    const all = await loaded('redlock-nestjs/otel', 'redlock-nestjs/terminus');
    for (const part of [
      '@opentelemetry/api',
      '@nestjs/terminus',
      'dist/otel/',
      'dist/cjs/otel/',
      'dist/cjs/terminus/',
    ]) {
      expect(all.filter((file) => file.includes(part))).not.toEqual([]);
    }
  });

  it('redlock-nestjs/otel and redlock-nestjs/terminus work from CommonJS', async () => {
    const { stdout } = await run(process.execPath, ['test/e2e/package/optional.cjs']);
    expect(JSON.parse(stdout)).toEqual({ status: 'up', grants: 1, spans: ['redlock.acquire', 'redlock.hold'] });
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

  it('has types that every way of resolving them finds', async () => {
    const { stdout } = await run(process.execPath, ['node_modules/@arethetypeswrong/cli/dist/index.js', '--pack', '.']);
    expect(stdout).toContain('No problems found');
  });
});
