import { serverEvents } from '../../lib/client/server-events.js';
import { RedisLockNode } from '../../lib/redis/redis-lock-node.js';
import type { Connection, SubscriberConnection } from '../../lib/redis/connection.js';
import { ReleaseSubscriber } from '../../lib/redis/release-subscriber.js';
import { RestartGuard, type RestartGuardMode } from '../../lib/redis/restart-guard.js';
import { ServerGroup } from '../../lib/redis/server-group.js';
import { ServerWatch } from '../../lib/redis/server-watch.js';
import type { Clock } from '../../lib/core/ports/clock.js';
import { SystemClock } from '../../lib/system/system-clock.js';

/** A lock node over a connection, by itself: no quorum, and no log. */
export function redisLockNode(
  connection: Connection,
  {
    mode = 'witnessed',
    clock = new SystemClock(),
    subscriber,
    guard = new RestartGuard(mode, clock),
  }: { mode?: RestartGuardMode; clock?: Clock; subscriber?: () => SubscriberConnection; guard?: RestartGuard } = {},
): RedisLockNode {
  const group = new ServerGroup(clock, serverEvents(undefined, undefined));
  const watch = new ServerWatch(connection, { guard, identities: new Map(), group, clock });
  let markers = 0;
  return new RedisLockNode(connection, {
    guard,
    watch,
    subscriber: new ReleaseSubscriber(() => subscriber?.()),
    markerKey: mode === 'off' ? undefined : '{redlock:}:marker',
    trial: { key: '{redlock:}:marker:trial' },
    newMarker: () => `marker-${process.pid}-${performance.now()}-${markers++}`,
  });
}
