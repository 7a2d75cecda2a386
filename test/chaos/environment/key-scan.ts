import type { FleetServer } from '../../support/fleet.js';
import type { Axis } from '../shared-clock.js';
import type { Diary } from '../history-writer.js';

const PREFIX = 'redlock:';

/** A look that took longer proves nothing: it is not known when it was. */
const LONGEST_LOOK_MS = 100;

/** All locks at one instant, without ticks, counters and the marker. */
const SCRIPT = `
local found = {}
for _, key in ipairs(redis.call('KEYS', '${PREFIX}*')) do
  found[#found + 1] = { key, redis.call('GET', key), redis.call('PTTL', key) }
end
return found`;

/** Writes down what locks are on this server: past all relays, as an outsider sees it. */
export async function sweep(server: FleetServer, index: number, axis: Axis, diary: Diary): Promise<boolean> {
  const fromMs = axis.nowMs();
  let found: [key: string, value: string, ttlMs: number][];
  try {
    found = (await server.command('EVAL', SCRIPT, '0')) as typeof found;
  } catch {
    return false; // It died, or was stalled, in the middle.
  }
  if (axis.nowMs() - fromMs > LONGEST_LOOK_MS) return false;
  for (const [key, value, ttlMs] of found) {
    const [token = ''] = value.split(' ');
    const name = key.slice(PREFIX.length);
    diary.write({ kind: 'leftover', server: index, key: name, token, ttlLeftMs: ttlMs < 0 ? null : ttlMs });
  }
  diary.write({ kind: 'swept', server: index });
  return true;
}
