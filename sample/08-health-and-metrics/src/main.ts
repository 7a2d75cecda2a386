import { createReplica } from './create-replica.js';

const app = await createReplica();
app.enableShutdownHooks();
await app.listen(process.env.PORT ?? 3000, '127.0.0.1');
const url = await app.getUrl();
for (const path of ['health/ready', 'health/live', 'metrics']) console.log(`curl ${url}/${path}`);
