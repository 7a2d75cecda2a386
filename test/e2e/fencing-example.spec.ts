import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect, it } from '@jest/globals';
import { start } from '../support/fleet.js';

const LOADER = './test/support/ts-loader.mjs';
const SAMPLE = 'sample/03-fencing-postgres/src';
const execute = promisify(execFile);

it('P2: the sample with a database, on real servers: a writer that was paused is refused, and what the newer one wrote stands', async () => {
  await using fleet = await start(3, { direct: true });
  // A code other than 0 rejects.
  const { stdout: said } = await execute(process.execPath, ['--import', LOADER, `${SAMPLE}/main.ts`], {
    timeout: 150_000,
    env: { ...process.env, REDLOCK_SERVERS: fleet.urls.join() },
  });
  const tokens = [...said.matchAll(/^replica-\d has the lock, with the fencing token (\d+)$/gm)].map(
    ([, token]) => token,
  );
  expect(tokens).toHaveLength(2);
  expect(Number(tokens[1])).toBeGreaterThan(Number(tokens[0]));
  expect(said.split('\n').slice(-6)).toEqual([
    `replica-2 has the lock, with the fencing token ${tokens[1]}`,
    'replica-2 writes "done by replica-2": 1 row',
    'replica-1 continues; its signal has aborted, but its statement was on the wire already',
    'replica-1 writes "done by replica-1": 0 rows, refused: a newer lock has written',
    'the row says: done by replica-2',
    '',
  ]);
});

it('runs the statements that the guide gives', () => {
  const statements = [...readFileSync(`${SAMPLE}/jobs.ts`, 'utf8').matchAll(/'((?:CREATE|UPDATE) .*)'/g)];
  expect(statements).toHaveLength(2);
  const guide = readFileSync('docs/guide/fencing.md', 'utf8');
  for (const [, statement] of statements) expect(guide).toContain(statement);
});
