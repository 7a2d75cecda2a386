import { majorityOf, surelyKnownBy } from './knowledge.js';
import type { Operations, Span, Steering } from './operations.js';

/*
 * When a job is paused, as far as the history shows it. A call that pauses or resumes it takes effect on each server at some time between its
 * begin and its end, and one that has failed may take effect much later, or never. Of two calls the later one counts, where it began after the
 * other was over.
 */

/** The pause that keeps every run of the job out, all the time from and to included, if there is such a pause. */
export function surePause(operations: Operations, job: string, { fromMs, toMs }: Span): Steering | undefined {
  const steerings = changesOf(operations, job).filter(({ begun }) => begun.atMs <= toMs);
  return steerings.find((pause) => {
    if (!isConfirmed(pause) || pause.settled.atMs > fromMs) return false;
    if (leastUntilMs(operations, pause) < toMs || !isKnownToAll(operations, pause, toMs)) return false;
    return steerings.every(
      (other) => other === pause || supersedes(operations, pause, other) || leastUntilMs(operations, other) >= toMs,
    );
  });
}

/** Whether the job may have been paused on a server at any time of the span. */
export function mayBePaused(operations: Operations, job: string, { fromMs, toMs }: Span): boolean {
  const steerings = changesOf(operations, job);
  return steerings.some((pause) => {
    if (pause.begun.what !== 'pause' || pause.begun.atMs > toMs) return false;
    if (mostUntilMs(operations, pause) < fromMs) return false;
    return !steerings.some(
      (other) =>
        isConfirmed(other) &&
        other.settled.atMs <= fromMs &&
        supersedes(operations, other, pause) &&
        isKnownToAll(operations, other, toMs),
    );
  });
}

/** Whether there was a pause of the job that began by then, so that it matters whether the job is paused. */
export function wasPausedBefore(operations: Operations, job: string, atMs: number): boolean {
  return changesOf(operations, job).some(({ begun }) => begun.what === 'pause' && begun.atMs <= atMs);
}

function changesOf({ steerings }: Operations, job: string): readonly Steering[] {
  return steerings.filter(({ begun }) => begun.job === job && begun.what !== 'cover');
}

function isConfirmed(steering: Steering): steering is Required<Steering> {
  return steering.settled !== undefined && steering.settled.code === undefined;
}

/** Whether no majority of the servers is without it. */
function isKnownToAll(operations: Operations, { begun, settled }: Steering, nowMs: number): boolean {
  const { servers } = operations.about;
  const toMs = settled?.atMs ?? Infinity;
  const told = { client: begun.client, fromMs: begun.atMs, toMs, toAll: true };
  return surelyKnownBy(operations, told, nowMs) > servers - majorityOf(servers);
}

/**
 * Versions are times, and no lower than those that were seen: what began when the other was over is newer. One that has failed may not have
 * been seen, and then the clocks of both processes decide.
 */
function supersedes({ about, clients }: Operations, later: Steering, earlier: Steering): boolean {
  const { begun, settled = clients.get(begun.client)?.killed } = earlier;
  if (!isConfirmed(later) || settled === undefined) return false;
  return settled.atMs + (isConfirmed(earlier) ? 0 : (about.skewMs ?? 0)) <= later.begun.atMs;
}

/** No server lets the job run before. A resumed one it lets run at once. */
function leastUntilMs({ about }: Operations, { begun }: Steering): number {
  if (begun.what === 'resume') return -Infinity;
  return begun.forMs === undefined
    ? Infinity
    : begun.atMs + begun.forMs * (1 - 2 * about.driftFactor) - about.toleranceMs;
}

/**
 * Every server lets the job run afterwards. The time that is left is sent, so a server that was told late, or by another server's votes, ends
 * the pause late.
 */
function mostUntilMs({ about, away, clients }: Operations, { begun, settled }: Steering): number {
  if (begun.forMs === undefined) return Infinity;
  const sentMs = (settled ?? clients.get(begun.client)?.killed)?.atMs ?? Infinity;
  const spans = [...away.flat(), ...[...clients.values()].flatMap(({ pauses }) => pauses)];
  const delaysMs = spans.reduce((sum, { fromMs, toMs }) => sum + Math.max(0, toMs - Math.max(fromMs, begun.atMs)), 0);
  return sentMs + begun.forMs * (1 + 2 * about.driftFactor) + delaysMs + 2 * about.graceMs + about.toleranceMs;
}
