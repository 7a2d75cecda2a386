import { Redis } from 'ioredis';

const TIMEOUT_MS = 300;

/** How many of the servers answer a PING right now, on a connection made for it, within 300 ms. */
export async function countVotes(urls: readonly string[]): Promise<number> {
  const answers = await Promise.all(urls.map((url) => doesAnswer(url)));
  return answers.filter(Boolean).length;
}

async function doesAnswer(url: string): Promise<boolean> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null, disconnectTimeout: 10 });
  client.on('error', () => {
    // The rejection below says it.
  });
  const timer = setTimeout(() => {
    client.disconnect();
  }, TIMEOUT_MS);
  try {
    await client.connect();
    await client.ping();
    return true;
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
    client.disconnect();
  }
}
