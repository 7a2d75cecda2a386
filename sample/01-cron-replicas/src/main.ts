import { startReplica } from './start-replica.js';

for (const app of [await startReplica(), await startReplica(), await startReplica()]) app.enableShutdownHooks();
