import type { FleetServer } from '../../support/fleet.js';
import type { SharedClock } from '../shared-clock.js';
import type { HistoryWriter } from '../history-writer.js';

const PREFIX = 'redlock:';

/** A scan that took longer proves nothing: its instant is not known. */
const LONGEST_LOOK_MS = 100;

/** All locks at one instant, without ticks, counters and the marker. */
const SCRIPT = `
local found = {}
for _, key in ipairs(redis.call('KEYS', '${PREFIX}*')) do
  found[#found + 1] = { key, redis.call('GET', key), redis.call('PTTL', key) }
end
return found`;

/** Writes to the history which locks are on this server, asked directly and not through a relay. */
export async function scanKeys(
  server: FleetServer,
  index: number,
  sharedClock: SharedClock,
  writer: HistoryWriter,
): Promise<boolean> {
  const fromMs = sharedClock.nowMs();
  let found: [key: string, value: string, ttlMs: number][];
  try {
    found = (await server.command('EVAL', SCRIPT, '0')) as typeof found;
  } catch {
    return false; // It died, or was stalled, in the middle.
  }
  if (sharedClock.nowMs() - fromMs > LONGEST_LOOK_MS) return false;
  for (const [key, value, ttlMs] of found) {
    const [token = ''] = value.split(' ');
    const name = key.slice(PREFIX.length);
    writer.write({ kind: 'leftover', server: index, key: name, token, ttlLeftMs: ttlMs < 0 ? null : ttlMs });
  }
  writer.write({ kind: 'scanned', server: index });
  return true;
}
