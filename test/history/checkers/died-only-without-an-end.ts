import type { RunSeen } from '../events.js';
import { majorityOf, reachesAll } from '../knowledge.js';
import { heldUntilMs, type Attempt, type Operations, type Reading } from '../operations.js';
import { isEndKnown, runKnownBy } from '../runs.js';
import type { Findings, Violation } from '../verdict.js';

/**
 * P20: a run is shown as died only if it has no end: not while its process has the lock, and not when its release was confirmed. An attempt that
 * never had the lock may be shown so, where its process, or a server, was away before it was undone.
 */
export function diedOnlyWithoutAnEnd(operations: Operations): Findings {
  const violations: Violation[] = [];
  let judged = 0;
  for (const reading of operations.readings) {
    const { begun, settled } = reading;
    for (const run of settled?.record?.runs ?? []) {
      judged++;
      if (settled === undefined || run.outcome !== 'died') continue;
      const wrong = whyNotDied(operations, reading, run);
      if (wrong !== undefined)
        violations.push({ what: `reading ${begun.call} shows as died ${wrong}`, events: [begun, settled] });
    }
  }
  return { judged, violations };
}

function whyNotDied(operations: Operations, { begun, settled }: Reading, run: RunSeen): string | undefined {
  const toMs = settled?.atMs ?? Infinity;
  const lock = operations.locks.find(({ granted }) => granted.token === run.token);
  if (lock !== undefined) {
    const name = `attempt ${lock.asked.attempt}, which`;
    if (isEndKnown(operations, lock, begun.atMs) && isEndKnown(operations, lock, toMs)) return `${name} had ended`;
    // A server that has lost the lock does not show it until it is put back.
    const isWhole = runKnownBy(operations, lock, toMs) >= majorityOf(operations.about.servers);
    return isWhole && heldUntilMs(operations, lock) > toMs ? `${name} had its lock` : undefined;
  }
  const asked = operations.attempts.filter((attempt) => isOf(attempt, begun.job, run) && attempt.asked.atMs <= toMs);
  if (asked.length === 0) return `a run of ${run.owner} that no process has asked for`;
  return asked.every((attempt) => isUndone(operations, attempt, begun.atMs))
    ? `a run of ${run.owner}, whose attempts were all refused and undone`
    : undefined;
}

/** A call that asks several times has a token for each, also where the last of them was granted. */
function isOf({ asked }: Attempt, job: string, { owner, trigger, tickMs }: RunSeen): boolean {
  if (asked.client !== owner || asked.job !== job) return false;
  return asked.trigger === trigger && (asked.tick?.atMs ?? 0) === tickMs;
}

function isUndone(operations: Operations, { asked, refused }: Attempt, nowMs: number): boolean {
  if (refused === undefined) return false;
  const span = { client: asked.client, fromMs: asked.atMs, toMs: refused.atMs };
  return reachesAll(operations, span, nowMs);
}
