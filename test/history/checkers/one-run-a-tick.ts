import type { Lock, Operations } from '../operations.js';
import { isInEveryMajority, runKnownBy } from '../runs.js';
import { tickOf } from '../tick-name.js';
import type { Findings, Violation } from '../verdict.js';

/**
 * P8: no tick of a schedule runs twice, on whichever replica, also not where it is made up for. A run counts from when its work began. That
 * a tick is run again, once, because its first run died is for a checker of its own.
 */
export function oneRunATick(operations: Operations): Findings {
  const { locks, clients } = operations;
  const violations: Violation[] = [];
  const gaps: string[] = [];
  const runs = new Map<string, Lock>();
  let judged = 0;
  for (const lock of locks) {
    const tick = tickOf(lock.asked);
    if (tick === undefined) continue;
    judged++;
    if (lock.began === undefined) {
      const { killed, stopped } = clients.get(lock.asked.client) ?? {};
      const excuse = killed ?? stopped ?? lock.aborted;
      if (excuse === undefined) gaps.push(`nobody knows whether attempt ${lock.asked.attempt} ran its tick`);
      continue;
    }
    const other = runs.get(tick);
    if (lock.asked.trigger === 'again' || (other && isForgotten(operations, other, lock))) continue;
    if (other?.began === undefined) runs.set(tick, lock);
    else {
      violations.push({
        what: `the tick ${tick} ran on ${other.asked.client} and on ${lock.asked.client}`,
        events: [other.asked, other.granted, other.began, lock.asked, lock.granted, lock.began],
      });
    }
  }
  return { judged, violations, gaps };
}

/** What is made up for comes at any time, also when the servers may vote again that have forgotten the first run. */
function isForgotten(operations: Operations, before: Lock, { asked, granted }: Lock): boolean {
  return asked.trigger === 'catch-up' && !isInEveryMajority(operations, runKnownBy(operations, before, granted.atMs));
}
