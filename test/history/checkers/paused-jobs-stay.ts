import type { Operations } from '../operations.js';
import { surePause, wasPausedBefore } from '../steerings.js';
import type { Findings, Violation } from '../verdict.js';

/** P20: from the moment that a pause of a job returns, until its end is begun or its time is over, no run of the job that is asked for is granted. */
export function pausedJobsStay(operations: Operations): Findings {
  const violations: Violation[] = [];
  let judged = 0;
  for (const { asked, granted, refused } of operations.attempts) {
    const { job } = asked;
    const settled = granted ?? refused;
    if (job === undefined || settled === undefined || !wasPausedBefore(operations, job, asked.atMs)) continue;
    const pause = surePause(operations, job, { fromMs: asked.atMs, toMs: settled.atMs });
    if (pause === undefined) continue;
    judged++;
    if (granted === undefined) continue;
    violations.push({
      what: `attempt ${asked.attempt} of "${job}" was granted at ${granted.atMs}, and the job was paused`,
      events: [pause.begun, ...(pause.settled ? [pause.settled] : []), asked, granted],
    });
  }
  return { judged, violations };
}
