import type { About, EventOf } from './events.js';

/** A length of time on the axis, from and to included. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** One call of acquire, and the lock that came of it. */
export interface Attempt {
  readonly asked: EventOf<'asked'>;
  cancelled?: EventOf<'cancelled'>;
  refused?: EventOf<'refused'>;
  granted?: EventOf<'granted'>;
  /** In their order; the last one is what the client believes. */
  readonly extended: EventOf<'extended'>[];
  readonly extensions: { readonly begun: EventOf<'extending'>; settled?: EventOf<'extendSettled'> }[];
  began?: EventOf<'began'>;
  ended?: EventOf<'ended'>;
  aborted?: EventOf<'aborted'>;
  releasing?: EventOf<'releasing'>;
  released?: EventOf<'released'>;
}

/** A granted one. */
export type Lock = Attempt & { readonly granted: EventOf<'granted'> };

/** A stretch in which a process stood still. */
export interface Pause extends Span {
  /** Whether its clock stood still as well. */
  readonly suspended: boolean;
}

export interface Client {
  readonly name: string;
  readonly pauses: Pause[];
  /** When it was gone, killed or stopped in good order. */
  killed?: EventOf<'killed'>;
  stopped?: EventOf<'stopped'>;
  /** What it has emitted until it stopped. */
  emitted?: EventOf<'emitted'>;
}

/** A lock that an operator removes by force. */
export interface Removal {
  readonly begun: EventOf<'forcing'>;
  settled?: EventOf<'forced'>;
}

/** A call that pauses or resumes a job, or covers a tick of it. */
export interface Steering {
  readonly begun: EventOf<'steering'>;
  settled?: EventOf<'steered'>;
}

/** A call that reads what the servers keep of a job. */
export interface Reading {
  readonly begun: EventOf<'reading'>;
  settled?: EventOf<'readSettled'>;
}

/** A history in the order of its calls instead of its events. */
export interface Operations {
  readonly about: About;
  readonly attempts: readonly Attempt[];
  readonly locks: readonly Lock[];
  readonly clients: ReadonlyMap<string, Client>;
  /** For each server, when it was away. */
  readonly away: readonly (readonly Span[])[];
  /** When a server went away, was befallen by one more thing while it was, or lost data. */
  readonly befallenAtMs: readonly number[];
  readonly due: readonly EventOf<'due'>[];
  readonly removals: readonly Removal[];
  readonly steerings: readonly Steering[];
  readonly readings: readonly Reading[];
  readonly lost: readonly EventOf<'lost'>[];
  readonly leftovers: readonly EventOf<'leftover'>[];
  readonly scanned: readonly EventOf<'scanned'>[];
  readonly endAtMs: number;
  /** What is missing, or cannot be: with any of these nothing is known to hold. */
  readonly gaps: readonly string[];
}

/** When the call of acquire settled. */
export function settledAtMs({ granted, refused }: Attempt): number | undefined {
  return (granted ?? refused)?.atMs;
}

/** Until when the client believes in its lock: to the end of its validity, unless it gave it up or died before. */
export function heldUntilMs({ clients }: Operations, { asked, granted, extended, aborted, releasing }: Lock): number {
  const validUntilMs = (extended.at(-1) ?? granted).validUntilMs;
  const killedAtMs = clients.get(asked.client)?.killed?.atMs ?? Infinity;
  return Math.min(validUntilMs, aborted?.atMs ?? Infinity, releasing?.atMs ?? Infinity, killedAtMs);
}

/** The longest ttl that was asked for this lock, stretched by the slowest clock. */
export function longestTtlMs({ about }: Operations, { asked, extensions }: Attempt): number {
  const ttls = extensions.map(({ begun }) => begun.ttlMs);
  return Math.max(asked.ttlMs, asked.minHoldMs ?? 0, ...ttls) * (1 + about.driftFactor);
}

/** For how long the machine of a lock was suspended in all, from the grant on: the pauses that began by then. */
export function suspendedMs({ clients }: Operations, { asked, granted }: Attempt, byMs: number): number {
  if (granted === undefined) return 0;
  let sumMs = 0;
  for (const { suspended, fromMs, toMs } of clients.get(asked.client)?.pauses ?? []) {
    if (suspended && fromMs <= byMs) sumMs += Math.max(0, toMs - Math.max(granted.atMs, fromMs));
  }
  return sumMs;
}

/**
 * For how long from its grant on a lock stays by its `minHold`. The process works out what is left when it releases the lock, and its
 * clock does not count for how long its machine was suspended.
 */
export function keptMs(operations: Operations, attempt: Attempt): number {
  const { asked, granted, released } = attempt;
  const { driftFactor, graceMs } = operations.about;
  if (asked.minHoldMs === undefined || granted === undefined) return 0;
  const leftByMs = (released?.atMs ?? Infinity) + graceMs;
  return asked.minHoldMs * (1 + driftFactor) + suspendedMs(operations, attempt, leftByMs);
}

/** One server may take so long, by the rules of the contract. */
export function nodeTimeoutMs({ nodeTimeoutMs: limitMs }: EventOf<'asked'>, ttlMs: number): number {
  return Math.min(limitMs, ttlMs / 4);
}

/**
 * An instant by which a process must have done something, seen by the observer: its clock may be slow, and what falls into
 * a pause must be done within `againMs` after it. What a suspended machine has not waited for yet, it waits for after the pause.
 */
export function latestMs(
  operations: Operations,
  client: string,
  fromMs: number,
  delayMs: number,
  againMs: number,
): number {
  const { driftFactor, toleranceMs } = operations.about;
  const allow = (ms: number): number => ms * (1 + driftFactor) + toleranceMs;
  let untilMs = fromMs + allow(delayMs);
  for (const pause of operations.clients.get(client)?.pauses ?? []) {
    if (pause.toMs < fromMs || pause.fromMs > untilMs) continue;
    const leftMs = pause.suspended ? untilMs - Math.max(fromMs, pause.fromMs) : 0;
    untilMs = Math.max(untilMs, pause.toMs + Math.max(allow(againMs), leftMs));
  }
  return untilMs;
}

/** Whether a majority of the servers was up, and had been for long enough, all the time. */
export function majorityUp({ about, away }: Operations, fromMs: number, toMs: number): boolean {
  const up = away.filter((spans) => !spans.some((span) => span.fromMs <= toMs && span.toMs + about.graceMs >= fromMs));
  return up.length > about.servers / 2;
}

export function overlaps(one: Span, other: Span): boolean {
  return one.fromMs < other.toMs && other.fromMs < one.toMs;
}
