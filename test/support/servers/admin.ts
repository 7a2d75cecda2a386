import { Redis } from 'ioredis';

/** One command on a connection of its own, which is gone when this settles. A server that hangs is an error after 5 s. */
export async function send(url: string, command: string, ...args: string[]): Promise<unknown> {
  const admin = new Redis(url, {
    lazyConnect: true,
    enableReadyCheck: false,
    retryStrategy: () => null,
    connectTimeout: 5_000,
    commandTimeout: 5_000,
    disconnectTimeout: 10,
  });
  admin.on('error', () => {
    // The rejection of the command says it.
  });
  try {
    await admin.connect();
    return await admin.call(command, ...args);
  } finally {
    admin.disconnect();
  }
}

/** Keys by SCAN, so that a server which is not ours is not blocked by the question. */
export async function scan(url: string, pattern: string): Promise<string[]> {
  const keys = new Set<string>();
  let cursor = '0';
  do {
    const [next, page] = (await send(url, 'SCAN', cursor, 'MATCH', pattern, 'COUNT', '1000')) as [string, string[]];
    for (const key of page) keys.add(key);
    cursor = next;
  } while (cursor !== '0');
  return [...keys].sort();
}
