import { Redis } from 'ioredis';

/** One connection a server, for the contestants that do not connect by themselves. */
export async function connect(urls: readonly string[]): Promise<Redis[]> {
  const clients = urls.map((url) => new Redis(url, { lazyConnect: true }));
  await Promise.all(clients.map((client) => client.connect()));
  return clients;
}
