import { Shop } from './shop.js';
import { startReplica } from './start-replica.js';
import { stock } from './stock.js';

const replicas = [await startReplica(), await startReplica(), await startReplica()];
const shops = replicas.map((app) => app.get(Shop));

/** Ten pieces, and thirty customers at once on three replicas. */
async function sellAll(sell: (shop: Shop) => Promise<boolean>): Promise<number> {
  await stock.write('book', 10);
  const customers = Array.from({ length: 10 }, () => shops).flat();
  const results = await Promise.all(customers.map(sell));
  return results.filter((sold) => sold).length;
}

console.log(`without a lock: 10 books in stock, ${await sellAll((shop) => shop.sellUnlocked('book'))} sold`);
console.log(`with a lock:    10 books in stock, ${await sellAll((shop) => shop.sell('book'))} sold`);

await stock.write('pen', 3);
await stock.write('pencil', 4);
await Promise.all(
  shops.map((shop, index) => (index % 2 === 0 ? shop.move('pen', 'pencil') : shop.move('pencil', 'pen'))),
);
console.log(
  `three moves at once: ${(await stock.read('pen')) + (await stock.read('pencil'))} pens and pencils, as before`,
);

const counts = await Promise.all(shops.map((shop) => shop.count('pen')));
console.log(`three counts at once: ${counts.filter((count) => count === undefined).length} were skipped`);

for (const app of replicas) await app.close();
