import type { INestApplicationContext } from '@nestjs/common';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Shop } from './shop.js';
import { startReplica } from './start-replica.js';
import { stock } from './stock.js';

let replicas: INestApplicationContext[];
let shops: Shop[];
beforeEach(async () => {
  replicas = [await startReplica(), await startReplica()];
  shops = replicas.map((app) => app.get(Shop));
});
afterEach(() => Promise.all(replicas.map((app) => app.close())));

it('sells what is there, and no more', async () => {
  await stock.write('book', 3);
  const sold = await Promise.all([...shops, ...shops, ...shops].map((shop) => shop.sell('book')));
  expect(sold.filter(Boolean)).toHaveLength(3);
  expect(await stock.read('book')).toBe(0);
});

it('sells too much without a lock', async () => {
  await stock.write('book', 1);
  expect(await Promise.all(shops.map((shop) => shop.sellUnlocked('book')))).toEqual([true, true]);
});

it('moves in both directions at once, and loses nothing', async () => {
  await stock.write('pen', 3);
  await stock.write('pencil', 4);
  const [first, second] = shops;
  await Promise.all([first?.move('pen', 'pencil'), second?.move('pencil', 'pen')]);
  expect((await stock.read('pen')) + (await stock.read('pencil'))).toBe(7);
});

it('counts on one replica, and skips on the other', async () => {
  await stock.write('book', 5);
  expect((await Promise.all(shops.map((shop) => shop.count('book')))).sort()).toEqual([5, undefined]);
});
