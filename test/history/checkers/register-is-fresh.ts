import type { RecordSeen } from '../events.js';
import { majorityOf } from '../knowledge.js';
import type { Lock, Operations, Reading, Span } from '../operations.js';
import { isEndKnown, runKnownBy } from '../runs.js';
import { mayBePaused, surePause } from '../steerings.js';
import type { Findings, Violation } from '../verdict.js';

/** So many runs are told of at most. */
const MOST_RUNS = 20;

/**
 * P20: what a process reads of a job is never older than what a majority of the servers knew when it began to read: every run that had its lock
 * by then, how each run ended whose release was confirmed by then, and whether the job is paused.
 */
export function registerIsFresh(operations: Operations): Findings {
  const violations: Violation[] = [];
  let judged = 0;
  for (const reading of operations.readings) {
    const { begun, settled } = reading;
    const record = settled?.record;
    if (settled === undefined || record === undefined) continue;
    judged++;
    const events = [begun, settled];
    const span = { fromMs: begun.atMs, toMs: settled.atMs };
    const wrong = wrongPause(operations, begun.job, record, span);
    if (wrong !== undefined) violations.push({ what: `reading ${begun.call}: ${wrong}`, events });
    for (const lock of operations.locks) {
      const { asked, granted } = lock;
      if (asked.job !== begun.job || granted.atMs > begun.atMs) continue;
      const missing = wrongRun(operations, lock, reading, record);
      if (missing === undefined) continue;
      violations.push({
        what: `reading ${begun.call}: attempt ${asked.attempt} ${missing}`,
        events: [asked, granted, ...events],
      });
    }
  }
  return { judged, violations };
}

function wrongPause(operations: Operations, job: string, { pausedLeftMs }: RecordSeen, span: Span): string | undefined {
  if (pausedLeftMs === 0) {
    return surePause(operations, job, span) && `"${job}" was paused, and is shown as not paused`;
  }
  return mayBePaused(operations, job, span) ? undefined : `"${job}" was not paused, and is shown as paused`;
}

function wrongRun(
  operations: Operations,
  lock: Lock,
  { begun, settled }: Reading,
  { runs, coveredMs }: RecordSeen,
): string | undefined {
  const toMs = settled?.atMs ?? Infinity;
  // A loss in the middle of the reading is one of before for a server that answers late.
  const isOver = isEndKnown(operations, lock, begun.atMs) && isEndKnown(operations, lock, toMs);
  if (!isOver && runKnownBy(operations, lock, toMs) < majorityOf(operations.about.servers)) return undefined;
  const run = runs.find(({ token }) => token === lock.granted.token);
  const { tick } = lock.asked;
  // An attempt that is undone has pushed out the oldest run, and leaves its own place empty until the next one: one for each process at most.
  const fewest = MOST_RUNS - operations.clients.size;
  if (run === undefined) return runs.length < fewest ? 'had its lock, and is not shown' : undefined;
  if (tick !== undefined && coveredMs < tick.atMs) return 'had its lock, and its tick is not shown as covered';
  if (!isOver) return undefined;
  const outcome = lock.ended?.failed === true || lock.ended === undefined ? 'failed' : 'succeeded';
  // Where its machine was suspended and too few servers say that it still has the lock, a run that ended well has lost it.
  if (run.outcome === 'lost' && outcome === 'succeeded' && wasSuspended(operations, lock)) return undefined;
  return run.outcome === outcome ? undefined : `${outcome}, and is shown as ${run.outcome}`;
}

function wasSuspended({ clients }: Operations, { asked, granted }: Lock): boolean {
  const pauses = clients.get(asked.client)?.pauses ?? [];
  return pauses.some(({ suspended, toMs }) => suspended && toMs >= granted.atMs);
}
