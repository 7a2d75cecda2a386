import type { ChaosOptions } from './options.js';
import { runInEnvironment, type Outcome } from './environment/environment.js';

const TTL_MS = 6_000;
const TRY_FOR_MS = 3_000;

/**
 * The shortest way to two holders: a majority of two has the lock, one of the two loses its data, and the third, which was
 * dead meanwhile, comes back. Only the guard stands between the second replica and the lock of the first.
 */
export function twoHolders(options: Pick<ChaosOptions, 'restartGuard' | 'out'>): Promise<Outcome> {
  return runInEnvironment(
    { ...options, servers: 3, replicas: 2, seed: 1, busy: false },
    async ({ sharedClock, servers, replicas }) => {
      const both = [0, 1];
      await Promise.all(both.map((replica) => replicas.start(replica)));
      // Both witness what follows: each has connected to all servers.
      await Promise.all(both.map((replica) => replicas.take(replica, `own key of ${replica}`, TTL_MS)));
      await servers.kill(2);
      await replicas.take(0, 'k', TTL_MS);
      await servers.kill(1);
      await servers.start(1, { data: false });
      await servers.start(2, { data: true });
      const untilMs = sharedClock.nowMs() + TRY_FOR_MS;
      // The second replica reaches no majority until it has connected again.
      while (sharedClock.nowMs() < untilMs && !(await replicas.take(1, 'k', TTL_MS)));
    },
  );
}
