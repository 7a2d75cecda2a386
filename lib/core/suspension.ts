import type { Clock } from './ports/clock.js';

/*
 * The monotonic clock stands still while the machine is suspended (a laptop that sleeps, a virtual machine that is moved), and
 * the servers go on: a lock can be over, and another process can hold it, while this process still counts it as valid. The wall
 * clock counts a suspension. So when the wall clock has gone further than the monotonic one, the machine was suspended or the
 * wall clock was set. The two cannot be told apart from here, so the servers are asked (P19).
 */

/** How far the wall clock was ahead of the monotonic one, at one instant. Between the two readings the process may have been delayed. */
export class ClockReading {
  constructor(
    /** On the monotonic clock. */
    readonly atMs: number,
    readonly leastAheadMs: number,
    readonly mostAheadMs: number,
  ) {}
}

/** More than the resolution of the wall clock and what a time service corrects at once; much less than any suspension. */
const TOLERANCE_MS = 20;

export function readClocks(clock: Pick<Clock, 'nowMs' | 'wallMs'>): ClockReading {
  const beforeMs = clock.nowMs();
  const wallMs = clock.wallMs();
  const atMs = clock.nowMs();
  return new ClockReading(atMs, wallMs - atMs, wallMs - beforeMs);
}

/** Whether the machine may have been suspended between the two readings. */
export function maybeSuspended(since: ClockReading, now: ClockReading, driftFactor: number): boolean {
  const explainedMs = mostExplainedMs(since, now, driftFactor);
  return now.leastAheadMs - since.mostAheadMs > explainedMs;
}

/**
 * How much of a validity that counts from the first reading is gone besides what the monotonic clock says: a suspension that is too
 * short to raise doubt. Beyond that the servers are asked, because the wall clock may merely have been set.
 */
export function uncountedMs(since: ClockReading, now: ClockReading, driftFactor: number): number {
  const aheadMs = now.leastAheadMs - since.mostAheadMs;
  return Math.max(0, Math.min(aheadMs, mostExplainedMs(since, now, driftFactor)));
}

function mostExplainedMs(since: ClockReading, now: ClockReading, driftFactor: number): number {
  return TOLERANCE_MS + driftFactor * (now.atMs - since.atMs);
}

/** The earlier reading, as it is to be compared with later ones: where the wall clock was set back, from there on. */
export function lowered(since: ClockReading, now: ClockReading): ClockReading {
  return now.mostAheadMs < since.mostAheadMs
    ? new ClockReading(since.atMs, since.leastAheadMs, now.mostAheadMs)
    : since;
}
