import type { GroupObserver } from '../redis/server-group.js';
import type { EventSource } from './event-source.js';

/** What happens to the servers of a shard, as events of the client. */
export function serverEvents(events: EventSource | undefined, shard: number | undefined): GroupObserver {
  const where = shard === undefined ? {} : { shard };
  return {
    onServer(server, change, count) {
      const { from: previous, to: state, notVotingMs, reason, quarantineMs, tickQuarantineMs, text: message } = change;
      events?.emit('serverState', {
        ...{ server, state, previous, notVotingMs, message, ...count, ...where },
        ...(reason !== undefined && { reason }),
        ...(quarantineMs !== undefined && { quarantineMs }),
        ...(tickQuarantineMs !== undefined && { tickQuarantineMs }),
      });
    },
    onQuorumLost(count) {
      events?.emit('quorumLost', { ...count, ...where });
    },
    onQuorumRegained({ tickQuarantineMs, ...count }) {
      const ofTicks = tickQuarantineMs === undefined ? {} : { tickQuarantineMs };
      events?.emit('quorumRegained', { ...count, ...ofTicks, ...where });
    },
    onWarning(server, { code, message }) {
      const level = code === 'no-append-only-file' ? 'log' : 'warn';
      events?.emit('warning', { code, message, level, server });
    },
  };
}
