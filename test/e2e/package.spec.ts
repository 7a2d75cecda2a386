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
