import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Below the range from which systems take the local ports of outgoing connections: a server that is down for a while
 * must find its port free when it comes back.
 */
const LOWEST = 10_000;
const COUNT = 22_000;

// Each process walks its own stretch, so that two of them that start servers at once hardly ever meet.
let next = (process.pid * 997) % COUNT;

/** Calls `listen` with a free loopback port, and again with another one for as long as somebody else was faster. */
export async function onFreePort<T>(listen: (port: number) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    try {
      return await listen(port);
    } catch (error) {
      if (attempt === 10 || !isTaken(error)) throw error;
    }
  }
}

async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < COUNT; attempt += 1) {
    const port = LOWEST + next;
    next = (next + 1) % COUNT;
    if (await isFree(port)) return port;
  }
  throw new Error(`No free loopback port from ${LOWEST} to ${LOWEST + COUNT - 1}.`);
}

async function isFree(port: number): Promise<boolean> {
  const probe = createServer();
  try {
    probe.listen(port, '127.0.0.1');
    await once(probe, 'listening');
  } catch (error) {
    if (isTaken(error)) return false;
    throw error;
  }
  probe.close();
  await once(probe, 'close');
  return true;
}

/** Node says EADDRINUSE, Redis says "Address already in use", Docker "port is already allocated". */
function isTaken(error: unknown): boolean {
  return /EADDRINUSE|EACCES|already in use|already allocated/i.test(String(error));
}
