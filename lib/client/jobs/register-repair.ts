import type { Quorum } from '../../core/quorum.js';
import { steering, type JobKeys } from '../../core/registers.js';
import { majorityOf } from '../../core/vote.js';
import { endedPauseToKeepMs, mergeRuns, newestPause, type Answer } from './job-record.js';

/**
 * Brings the newest pause, or its end, and the newest tick that needs no run to the servers that are behind, and waits for no answer. The tries of a run do so
 * with a pause, too; but a job may be read all the time and not run for long, and meanwhile servers may lose their data one after the other.
 */
export function repairRegisters(
  { queues, rules }: Quorum,
  { register: key }: JobKeys,
  answers: readonly Answer[],
): void {
  const { version, pausedLeftMs: leftMs, reason } = newestPause(answers);
  const sureMs = surelyCoveredMs(answers, majorityOf(queues.length));
  const pause = { version, leftMs, reason };
  const coveredMs = Math.max(sureMs, endedPauseToKeepMs(answers));
  for (const answer of answers) {
    const isBehind = answer.register.version < version || newestTickOf(answer) < sureMs;
    if (isBehind) queues[answer.position]?.send({ ...steering(key, rules.owner), pause, coveredMs });
  }
}

/** The newest tick of a run that is over, or that a majority covers. An attempt may yet be undone, and what few servers cover may have to run. */
function surelyCoveredMs(answers: readonly Answer[], majority: number): number {
  const over = mergeRuns(answers, majority).filter(({ outcome }) => outcome !== 'running');
  const covered = answers.map(({ register }) => register.coveredMs).toSorted((one, other) => other - one);
  return Math.max(covered[majority - 1] ?? 0, ...over.map(({ tickMs }) => tickMs));
}

function newestTickOf({ register: { coveredMs, runs } }: Answer): number {
  return Math.max(coveredMs, ...runs.map(({ tickMs }) => tickMs));
}
