import type { Operations } from '../operations.js';
import { mayBePaused, wasPausedBefore } from '../steerings.js';
import type { Findings, Violation } from '../verdict.js';

/** P20: when a job was resumed, or the time of its pause is over, no run of it is refused because of that pause. */
export function noRunLostByAPause(operations: Operations): Findings {
  const violations: Violation[] = [];
  let judged = 0;
  for (const { asked, granted, refused } of operations.attempts) {
    const { job } = asked;
    const settled = granted ?? refused;
    if (job === undefined || settled === undefined) continue;
    if (refused?.reason !== 'paused' && !wasPausedBefore(operations, job, settled.atMs)) continue;
    if (mayBePaused(operations, job, { fromMs: asked.atMs, toMs: settled.atMs })) continue;
    judged++;
    if (refused?.reason !== 'paused') continue;
    violations.push({
      what: `attempt ${asked.attempt} of "${job}" was told that the job is paused, and it was not`,
      events: [asked, refused],
    });
  }
  return { judged, violations };
}
