import { RedlockService } from 'redlock-nestjs';
import { expect, it } from 'vitest';
import { Reports } from './reports.js';
import { startReplica } from './start-replica.js';

it('takes ttl and owner from .env', async () => {
  const app = await startReplica();
  expect(await app.get(Reports).write()).toBe('written, with a lock for 30 s');
  const redlock = app.get(RedlockService);
  await redlock.withLock('stock', '5s', async () => {
    expect(await redlock.inspect('stock')).toMatchObject({ held: true, owner: 'worker-7' });
  });
  await app.close();
});
