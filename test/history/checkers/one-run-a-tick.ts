import type { Lock, Operations } from '../operations.js';
import { tickOf } from '../tick-name.js';
import type { Findings, Violation } from '../verdict.js';

/** P8: no tick of a schedule runs twice, on whichever replica. A run counts from when its work began. */
export function oneRunATick({ locks, clients }: Operations): Findings {
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
