import type { Operations, Span } from './operations.js';

/** A process tells the servers something, and a majority confirms it. */
export interface Told extends Span {
  readonly client: string;
  /** Every server takes it that it reaches; a lock, for one, is refused where another process has it. */
  readonly toAll: boolean;
}

/**
 * How many servers are sure to know at this instant what a majority of them had confirmed: fewer, where some have lost data since; all,
 * where nothing was in its way.
 */
export function surelyKnownBy(operations: Operations, told: Told, nowMs: number): number {
  const { about, lost } = operations;
  const forgetful = new Set(
    lost.filter(({ atMs }) => atMs >= told.fromMs && atMs <= nowMs).map(({ server }) => server),
  );
  const known = told.toAll && reachesAll(operations, told, nowMs) ? about.servers : majorityOf(about.servers);
  return known - forgetful.size;
}

/** Whether what a process tells all servers in this time has reached all of them by then. */
export function reachesAll(
  operations: Operations,
  { client, fromMs, toMs }: Omit<Told, 'toAll'>,
  nowMs: number,
): boolean {
  const { about, away, clients } = operations;
  const overMs = toMs + about.graceMs;
  if (overMs > nowMs) return false;
  const { killed, stopped, pauses = [] } = clients.get(client) ?? {};
  if (Math.min(killed?.atMs ?? Infinity, stopped?.atMs ?? Infinity) <= overMs) return false;
  return ![...away.flat(), ...pauses].some((span) => span.fromMs <= overMs && span.toMs + about.graceMs >= fromMs);
}

export function majorityOf(servers: number): number {
  return Math.floor(servers / 2) + 1;
}
