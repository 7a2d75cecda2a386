import { RedlockService, type Lock } from 'redlock-nestjs';
import { Jobs } from './jobs.js';
import { startReplica } from './start-replica.js';

const jobs = await Jobs.create();
const replicas = [await startReplica(), await startReplica()];
const [first, second] = replicas.map((app) => app.get(RedlockService)) as [RedlockService, RedlockService];

async function write(replica: string, { fencingToken }: Lock, result: string): Promise<void> {
  const written = await jobs.write(1, result, fencingToken);
  console.log(`${replica} writes "${result}": ${written ? '1 row' : '0 rows, refused: a newer lock has written'}`);
}

// A lock from `acquire` is not extended automatically, so it ends as the lock of a paused process does.
const stale = await first.acquire('job:1', '1s');
console.log(`replica-1 has the lock, with the fencing token ${stale.fencingToken}`);
await write('replica-1', stale, 'half done by replica-1');

console.log('replica-1 is paused for longer than its ttl, and replica-2 waits for the lock');
const newer = await second.acquire('job:1', '10s', { wait: '5s' });
console.log(`replica-2 has the lock, with the fencing token ${newer.fencingToken}`);
await write('replica-2', newer, 'done by replica-2');
await newer.release();

console.log(
  `replica-1 continues${stale.signal.aborted ? '; its signal has aborted, but its statement was on the wire already' : ''}`,
);
await write('replica-1', stale, 'done by replica-1');
console.log(`the row says: ${await jobs.read(1)}`);

for (const app of replicas) await app.close();
await jobs.close();
