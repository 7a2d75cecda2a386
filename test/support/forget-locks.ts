import type { FleetServer } from './fleet.js';

/**
 * Deletes all keys of the servers but their markers. FLUSHALL would be a loss of data: a process that sees it keeps the server
 * from voting, and a process that starts later hears of that.
 */
export async function forgetLocks(servers: readonly FleetServer[]): Promise<void> {
  for (const server of servers) {
    const keys = (await server.keys('*')).filter((key) => !key.endsWith(':marker'));
    if (keys.length > 0) await server.command('DEL', ...keys);
  }
}
