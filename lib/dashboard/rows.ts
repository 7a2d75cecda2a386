import { carriersIn, undecidedBy } from '../client/inspection.js';
import type { JobRun, JobStatus } from '../interfaces/jobs.interface.js';
import type { LockInspection, RedlockHealth, ServerHealth } from '../interfaces/index.js';

/** What the page shows, in tables of rows. Each row has an id, by which the page finds it again. */
export type TableName = 'instances' | 'servers' | 'jobs' | 'locks' | 'notes';
export type Rows = ReadonlyMap<string, object>;

/** Where in an application something is. */
export interface Place {
  readonly instance?: string;
  readonly shard?: number;
}

/** Instants are milliseconds by the clock of this process; the page sees that in each event, and shows what is left. */
export function jobRow(status: JobStatus, runs: readonly JobRun[], pausedUntil?: number): object {
  const { job, instance, method, schedule, timeZone, nextTick, running, lastRun, paused, overdue, unknown } = status;
  return {
    ...{ job, instance, method, schedule, timeZone, unknown },
    next: nextTick?.getTime(),
    running: running && runRow(running),
    last: lastRun && runRow(lastRun),
    paused: paused && { until: pausedUntil, reason: paused.reason },
    overdue: overdue?.tick.getTime(),
    runs: runs.map(runRow),
  };
}

function runRow({ trigger, tick, owner, startedAt, endedAt, outcome, error, fencingToken }: JobRun): object {
  return {
    ...{ trigger, owner, outcome, error, fencingToken },
    ...{ tick: tick?.getTime(), startedAt: startedAt.getTime(), endedAt: endedAt?.getTime() },
  };
}

export function instanceRow(instance: string | undefined, { quorum, voting, needed }: RedlockHealth): object {
  return { instance, quorum, voting, needed };
}

export function serverRow(place: Place, health: ServerHealth): object {
  const { server, state, since, reason, latencyMs, version, warnings } = health;
  return {
    ...{ ...place, server, state, reason, version },
    since: since.getTime(),
    latencyMs: latencyMs === undefined ? undefined : Math.round(latencyMs * 10) / 10,
    warnings: warnings.map(({ message }) => message),
  };
}

export interface LockRow extends Place {
  readonly key: string;
  readonly held: boolean;
  readonly owner?: string;
  readonly fencingToken?: number;
  readonly until?: number;
  /** On how many servers it is, and of how many. */
  readonly servers: number;
  readonly of: number;
  /** How many have not answered, where it may be held with them. */
  readonly unanswered?: number;
}

/** A lock, with the instant at which its ttl ends unless its holder extends it. */
export function lockRow(place: Place, inspection: LockInspection, nowMs: number): LockRow {
  const carriers = carriersIn(inspection.servers);
  const unanswered = undecidedBy(inspection);
  // Without a majority there is no holder, but there is a token on some servers.
  const { owner, remainingMs, fencingToken } = inspection.held ? inspection : (carriers[0] ?? {});
  return {
    ...{ ...place, key: inspection.key, held: inspection.held },
    ...(owner !== undefined && { owner }),
    ...(fencingToken !== undefined && fencingToken > 0 && { fencingToken }),
    ...(remainingMs !== undefined && Number.isFinite(remainingMs) && { until: Math.round(nowMs + remainingMs) }),
    servers: carriers.length,
    of: inspection.servers.length,
    ...(unanswered > 0 && { unanswered }),
  };
}

/** Two looks at one end of a ttl or of a pause tell it with so much difference, because of the time that the answers took. */
const SAME_MS = 250;

/** The instant that was told before, if this is no other: nothing is sent for what only goes on. */
export function steady(before: number | undefined, nowMs: number | undefined): number | undefined {
  return before !== undefined && nowMs !== undefined && Math.abs(before - nowMs) < SAME_MS ? before : nowMs;
}

/** The id of a row. */
export function idOf(...parts: readonly (string | number | undefined)[]): string {
  return JSON.stringify(parts);
}
