import type { INestApplicationContext } from '@nestjs/common';
import { RedlockService } from 'redlock-nestjs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Jobs } from './jobs.js';
import { startReplica } from './start-replica.js';

let jobs: Jobs;
let app: INestApplicationContext;
beforeAll(async () => {
  jobs = await Jobs.create();
  app = await startReplica();
}, 60_000);
afterAll(async () => {
  await app.close();
  await jobs.close();
});

it('refuses the holder of an older lock once a newer one has written', async () => {
  const redlock = app.get(RedlockService);
  const older = await redlock.acquire('job:1', '5s');
  await older.release();
  const newer = await redlock.acquire('job:1', '5s');
  expect(newer.fencingToken).toBeGreaterThan(older.fencingToken);

  expect(await jobs.write(1, 'by the older', older.fencingToken)).toBe(true);
  expect(await jobs.write(1, 'by the newer', newer.fencingToken)).toBe(true);
  expect(await jobs.write(1, 'once more', newer.fencingToken)).toBe(true);
  expect(await jobs.write(1, 'by the older', older.fencingToken)).toBe(false);
  expect(await jobs.read(1)).toBe('once more');
  await newer.release();
});
