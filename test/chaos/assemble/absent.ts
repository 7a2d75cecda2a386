import type { EventOf } from '../../history/events.js';
import type { Span } from '../../history/story.js';
import type { Absence } from '../stage/absences.js';
import type { Loss } from '../stage/servers.js';

/** For how long, from when it was back or seen first, a server that has lost its data does not vote. */
export function quarantines(
  losses: readonly Loss[],
  absences: readonly Absence[],
  pauses: readonly Span[],
  guardMs: number,
): Absence[] {
  return losses.map(({ server, fromMs, backAtMs }) => {
    // Who stood still, or could not reach it, finds out later, and does not trust it from then on.
    const late = [...pauses, ...absences.filter((each) => each.server === server)].toSorted(
      (one, other) => one.fromMs - other.fromMs,
    );
    let toMs = backAtMs + guardMs;
    for (const each of late) if (each.fromMs < toMs && each.toMs > fromMs) toMs = Math.max(toMs, each.toMs + guardMs);
    return { server, why: 'not trusted', fromMs, toMs };
  });
}

/** One event at the beginning and one at the end of each time in which it was away for any reason. */
export function toEvents(absences: readonly Absence[], endAtMs: number): EventOf<'server'>[] {
  const events: EventOf<'server'>[] = [];
  for (const server of new Set(absences.map((each) => each.server))) {
    const own = absences.filter((each) => each.server === server).toSorted((one, other) => one.fromMs - other.fromMs);
    let current: { why: string; fromMs: number; toMs: number } | undefined;
    for (const { why, fromMs, toMs } of [...own, { why: '', fromMs: Infinity, toMs: Infinity }]) {
      if (current !== undefined && fromMs <= current.toMs) {
        current = { ...current, why: `${current.why}, ${why}`, toMs: Math.max(current.toMs, toMs) };
        continue;
      }
      if (current !== undefined) {
        events.push({ kind: 'server', server, status: 'away', why: current.why, atMs: current.fromMs });
        if (current.toMs < endAtMs) {
          events.push({ kind: 'server', server, status: 'up', why: 'all is well', atMs: current.toMs });
        }
      }
      current = { why, fromMs, toMs };
    }
  }
  return events;
}
