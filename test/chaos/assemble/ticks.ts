import type { EventOf, HistoryEvent } from '../../history/events.js';
import { JOBS } from '../replica/replica.interface.js';
import type { Life } from '../environment/replicas.js';

/** For so long before and after a tick its replica must have been there, with the same clock, to be sure to fire it. */
const SETTLED_MS = 2_200;

/** So late a timer may be in a process that does not stand still. */
const LATE_MS = 100;

/**
 * When each tick was due, on the shared clock: by each replica's own clock, so at several instants. `wallAtZeroMs` is the right
 * time of day at the beginning of the shared clock. No replica must fire a tick around a step of its clock.
 */
export function dues(
  lives: readonly Life[],
  events: readonly HistoryEvent[],
  wallAtZeroMs: number,
  endAtMs: number,
): EventOf<'due'>[] {
  return JOBS.flatMap(({ key, periodMs }) => {
    const ticks = new Set(
      events.flatMap((event) => (event.kind === 'asked' && event.keys[0] === key && event.tick ? event.tick.atMs : [])),
    );
    const firstMs = Math.ceil(wallAtZeroMs / periodMs) * periodMs;
    for (let tickAtMs = firstMs; tickAtMs < wallAtZeroMs + endAtMs; tickAtMs += periodMs) ticks.add(tickAtMs);
    return [...ticks].map((tickAtMs) => due([key], tickAtMs, lives, wallAtZeroMs));
  });
}

function due(keys: readonly string[], tickAtMs: number, lives: readonly Life[], wallAtZeroMs: number): EventOf<'due'> {
  const rightMs = tickAtMs - wallAtZeroMs;
  const firing = lives.flatMap((life) => {
    const atMs = firesAtMs(life, rightMs);
    return atMs === undefined ? [] : [{ name: life.name, atMs }];
  });
  const instants = firing.length > 0 ? firing.map(({ atMs }) => atMs) : [rightMs];
  return {
    kind: 'due',
    atMs: Math.min(...instants),
    keys,
    tickAtMs,
    untilMs: Math.max(...instants) + LATE_MS,
    replicas: firing.map(({ name }) => name),
  };
}

/** When this process fires the tick of this right time, if it is sure to. */
function firesAtMs({ clock, readyAtMs, killedAtMs, stoppedAtMs }: Life, rightMs: number): number | undefined {
  for (const [index, { atMs: fromMs, offsetMs }] of clock.entries()) {
    const atMs = rightMs - offsetMs;
    const untilMs = clock[index + 1]?.atMs ?? Infinity;
    if (atMs < fromMs + SETTLED_MS || atMs > untilMs - SETTLED_MS) continue;
    const goneAtMs = Math.min(killedAtMs ?? Infinity, (stoppedAtMs ?? Infinity) - LATE_MS);
    const there = atMs > readyAtMs + SETTLED_MS && atMs < goneAtMs;
    return there ? atMs : undefined;
  }
  return undefined;
}
