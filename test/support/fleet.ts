import type { Fleet, FleetOptions, FleetServer } from './fleet.interface.js';
import { findPlace } from './servers/choose.js';
import { givenServers } from './servers/given-server.js';
import { OwnServer } from './servers/own-server.js';

export type { Fleet, FleetKind, FleetOptions, FleetServer, Release } from './fleet.interface.js';

/**
 * Starts `n` real and independent Redis servers. They come from the first of these that works:
 *
 * 1. `REDLOCK_SERVERS`, urls of running servers, separated by commas. They are used as they are: no verb of fault, and
 *    nothing in them is removed.
 * 2. `redis-server` or `valkey-server` on the PATH.
 * 3. Docker (`REDIS_IMAGE`, default `redis:7-alpine`).
 * 4. Debian's own package, unpacked into `.cache` (or `REDLOCK_CACHE`) without installing anything.
 *
 * `REDLOCK_FLEET=local` means 2 or 4, `REDLOCK_FLEET=docker` means 3. A test that asks for a release gets it from 2, 3 or 4.
 */
export async function start(n: number, options: FleetOptions = {}): Promise<Fleet> {
  if (!Number.isInteger(n) || n < 1) throw new Error(`A fleet has at least one server, not ${n}.`);
  const given = options.release === undefined ? givenServers(n, options.kind) : undefined;
  if (given !== undefined) return fleetOf(given, `${n} running servers from REDLOCK_SERVERS`, () => Promise.resolve());

  const place = await findPlace(options);
  const source = await place.open({ args: options.args ?? [], env: options.env });
  const servers: OwnServer[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.stop()));
    await source.close();
  };
  const names = Array.from({ length: n }, (_, index) => `server-${index + 1}`);
  const starts = await Promise.allSettled(
    names.map(async (name, index) => {
      const server = new OwnServer(name, await source.create(name));
      servers[index] = server;
      await server.start(options.direct ?? false);
    }),
  );
  const failures = starts.filter((result) => result.status === 'rejected').map((result) => result.reason as Error);
  if (failures.length > 0) {
    await stop();
    throw new AggregateError(failures, `${failures.length} of ${n} servers did not start: ${String(failures[0])}`);
  }
  return fleetOf(servers, source.origin, stop);
}

function fleetOf(servers: readonly FleetServer[], origin: string, end: () => Promise<void>): Fleet {
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopped ??= end());
  return { servers, urls: servers.map((server) => server.url), origin, stop, [Symbol.asyncDispose]: stop };
}
