import { RedlockService } from 'redlock-nestjs';
import { Reports } from './reports.js';
import { startReplica } from './start-replica.js';

const app = await startReplica();
const redlock = app.get(RedlockService);
console.log('the report is', await app.get(Reports).write());
await redlock.withLock('stock', '5s', async () => {
  console.log('the stock is locked by', (await redlock.inspect('stock')).owner);
});
await app.close();
