import type { RedisOptions } from 'ioredis';
import type { Clock } from '../core/ports/clock.js';
import { guardedConnector } from './guarded-connector.js';
import type { ReplyReader } from './reply-reader.js';

/** After this much silence the kernel asks whether the other end is still there. */
const KEEP_ALIVE_MS = 10_000;

const SENTINEL_TIMEOUT_MS = 5000;

/** The options of a client of ours: those of the user, except for those that make a lock's connection safe. */
export function safeOptions(target: RedisOptions, reader: ReplyReader, clock: Clock): RedisOptions {
  const options = {
    keepAlive: KEEP_ALIVE_MS,
    // A Sentinel that takes the connection and answers nothing: the next one is asked then.
    sentinelCommandTimeout: SENTINEL_TIMEOUT_MS,
    // ioredis needs it to recognize the master behind Sentinels. All other servers are inspected anyway, and may report then that they are loading.
    enableReadyCheck: Boolean(target.sentinels),
    ...target,
    ...SAFE_OPTIONS,
  };
  return { ...options, Connector: guardedConnector(options, reader, clock) };
}

/**
 * What makes a lock's connection safe, whatever the user's options say: nothing is queued while there is no connection,
 * nothing is sent twice, and ioredis neither retries nor keeps a timer of its own. It speaks RESP2, in which the same replies
 * come in the same forms with all versions of ioredis. It says nothing of the client's version: that is one write more, and
 * users that are allowed little must not be asked for it.
 */
const SAFE_OPTIONS = {
  // Selected by ourselves: ioredis goes on in database 0 where it is refused.
  db: 0,
  protocol: 2,
  replyMapping: undefined,
  disableClientInfo: true,
  lazyConnect: true,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  enableAutoPipelining: false,
  autoResubscribe: false,
  retryStrategy: () => null,
  sentinelRetryStrategy: () => null,
  reconnectOnError: null,
  commandTimeout: undefined,
  disconnectTimeout: 10,
  stringNumbers: false,
  monitor: false,
} satisfies RedisOptions;
