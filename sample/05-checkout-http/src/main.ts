import { createReplica } from './create-replica.js';

const port = Number(process.env.PORT ?? 3000);
const urls: string[] = [];
for (const own of [port, port === 0 ? 0 : port + 1]) {
  const app = await createReplica();
  app.enableShutdownHooks();
  await app.listen(own, '127.0.0.1');
  urls.push(await app.getUrl());
}
console.log('Two replicas listen. Pay one cart on both at once:');
console.log(urls.map((url) => `curl -i -X POST ${url}/checkout/7`).join(' & '));
