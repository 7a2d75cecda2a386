import type { EventOf } from '../../history/events.js';
import type { Span } from '../../history/operations.js';
import type { Absence } from '../environment/absences.js';
import type { Loss } from '../environment/servers.js';

/** Every replica asks every server once a second, by its schedule, and may stand still for a moment then. */
const NOTICE_MS = 1_500;

/** A shorter absence delays no replica so much that it matters. */
const MOMENT_MS = 500;

/**
 * For how long a server that has lost its data does not vote. Replicas that were paused, or could not reach the server, notice
 * later than the others, and their quarantine begins then.
 */
export function quarantines(
  losses: readonly Loss[],
  absences: readonly Absence[],
  pauses: readonly Span[],
  quarantineMs: number,
): Absence[] {
  return losses.map(({ server, fromMs, backAtMs }) => {
    const delays = [...pauses, ...absences.filter((each) => each.server === server)]
      .filter((each) => each.toMs - each.fromMs > MOMENT_MS && each.toMs > fromMs)
      .toSorted((one, other) => one.fromMs - other.fromMs);
    let noticedAtMs = backAtMs + NOTICE_MS;
    for (const each of delays)
      if (each.fromMs < noticedAtMs) noticedAtMs = Math.max(noticedAtMs, each.toMs + NOTICE_MS);
    return { server, why: 'not trusted', fromMs, toMs: noticedAtMs + quarantineMs };
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
