import type { About, History, HistoryEvent } from '../../history/events.js';
import type { Span } from '../../history/operations.js';
import { STILL_MS } from '../history-writer.js';
import type { Absence } from '../environment/absences.js';
import type { Life } from '../environment/replicas.js';
import type { Loss } from '../environment/servers.js';
import { quarantines, toEvents } from './absent.js';
import { readHistoryFile } from './read-history-file.js';
import { dues } from './ticks.js';

/** The results of a run, before they are one history. */
export interface Remains {
  readonly about: About;
  readonly lives: readonly Life[];
  readonly absences: readonly Absence[];
  readonly losses: readonly Loss[];
  readonly quarantineMs: number;
  /** The history file of the nemesis. */
  readonly own: string;
  readonly wallAtZeroMs: number;
  readonly endAtMs: number;
  /** Whether the replicas had a schedule. */
  readonly ticking: boolean;
}

export interface Assembled {
  readonly history: History;
  /** Why servers were away, one entry for each reason, for the picture. */
  readonly absences: readonly Absence[];
}

/** Merges the files of all processes into one history, in the order of time. */
export function assemble(remains: Remains): Assembled {
  const { about, lives, losses, quarantineMs, wallAtZeroMs, endAtMs } = remains;
  const told = lives.flatMap(eventsOf);
  const pauses = pausesIn(told);
  const absences = [...remains.absences, ...quarantines(losses, remains.absences, pauses, quarantineMs)];
  const events = [
    ...told,
    ...readHistoryFile(remains.own).events,
    ...toEvents(absences, endAtMs),
    ...(remains.ticking ? dues(lives, told, wallAtZeroMs, endAtMs) : []),
  ].filter(({ atMs }) => atMs < endAtMs);
  events.sort((one, other) => one.atMs - other.atMs);
  return { history: { about, events: [...events, { kind: 'end', atMs: endAtMs }] }, absences };
}

/** The events of a process, and its end. */
function eventsOf({ name: client, historyFile, killedAtMs }: Life): HistoryEvent[] {
  const { events, signAtMs } = readHistoryFile(historyFile);
  if (killedAtMs === undefined || events.length === 0) return [...events];
  const end: HistoryEvent[] = [{ kind: 'killed', client, atMs: Math.max(killedAtMs, signAtMs) }];
  if (killedAtMs - signAtMs > STILL_MS) end.unshift({ kind: 'paused', client, atMs: signAtMs });
  return [...events, ...end];
}

export function pausesIn(events: readonly HistoryEvent[]): Span[] {
  const since = new Map<string, number>();
  return events.flatMap((event) => {
    if (event.kind === 'paused') since.set(event.client, event.atMs);
    if (event.kind !== 'resumed' && event.kind !== 'killed') return [];
    const fromMs = since.get(event.client);
    since.delete(event.client);
    return fromMs === undefined ? [] : [{ fromMs, toMs: event.atMs }];
  });
}
