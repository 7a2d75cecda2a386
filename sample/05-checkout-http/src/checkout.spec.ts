import type { INestApplication } from '@nestjs/common';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createReplica } from './create-replica.js';

let replicas: INestApplication[];
let urls: string[];
beforeAll(async () => {
  replicas = [await createReplica(), await createReplica()];
  for (const app of replicas) await app.listen(0, '127.0.0.1');
  urls = await Promise.all(replicas.map((app) => app.getUrl()));
});
afterAll(() => Promise.all(replicas.map((app) => app.close())));

const pay = (replica: number, cart: string) => fetch(`${urls[replica]}/checkout/${cart}`, { method: 'POST' });

it('pays a cart once: the other request gets 409, with the time after which to try again', async () => {
  const answers = await Promise.all([pay(0, 'a'), pay(1, 'a')]);
  const [paid, refused] = answers.sort((one, other) => one.status - other.status);
  expect([paid?.status, refused?.status]).toEqual([201, 409]);
  expect(Number(refused?.headers.get('Retry-After'))).toBeGreaterThan(0);
  expect(await refused?.json()).toEqual({ statusCode: 409, error: 'Conflict', message: 'Locked by another call.' });
});

it('pays different carts at the same time', async () => {
  const answers = await Promise.all([pay(0, 'b'), pay(1, 'c')]);
  expect(answers.map(({ status }) => status)).toEqual([201, 201]);
});
