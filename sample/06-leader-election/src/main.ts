import { setTimeout as sleep } from 'node:timers/promises';
import { Election } from './election.js';
import { startReplica } from './start-replica.js';

const replicas = [await startReplica(), await startReplica(), await startReplica()];

for (;;) {
  await sleep(3_000);
  console.log('- the leader is deployed anew');
  const leader = replicas.findIndex((app) => app.get(Election).isLeader);
  await replicas[leader]?.close();
  if (leader >= 0) replicas[leader] = await startReplica();

  await sleep(3_000);
  console.log('- an operator removes the lock');
  await replicas
    .find((app) => !app.get(Election).isLeader)
    ?.get(Election)
    .depose();
}
