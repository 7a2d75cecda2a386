import type { INestApplication } from '@nestjs/common';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createReplica } from './create-replica.js';
import { Invoices } from './invoices.js';

let app: INestApplication;
beforeAll(async () => {
  app = await createReplica();
  await app.listen(0, '127.0.0.1');
});
afterAll(() => app.close());

const get = async (path: string) => await fetch(`${await app.getUrl()}/${path}`);

it('is ready while locks can be granted, and says how many servers vote', async () => {
  const answer = await get('health/ready');
  expect(answer.status).toBe(200);
  expect(await answer.json()).toMatchObject({
    status: 'ok',
    details: { locks: { status: 'up', voting: 1, needed: 1 } },
  });
});

it('is alive', async () => {
  expect((await get('health/live')).status).toBe(200);
});

it('counts the runs of the job', async () => {
  await app.get(Invoices).sendInvoices();
  const lines = (await (await get('metrics')).text()).split('\n');
  expect(lines.find((line) => line.startsWith('redlock_job_runs_total') && line.includes('manual'))).toMatch(/ 1( |$)/);
});
