import type { HistoryEvent } from '../events.js';
import type { Lock, Operations } from '../operations.js';
import { isEndKnown, isInEveryMajority, runKnownBy } from '../runs.js';
import { tickOf } from '../tick-name.js';
import type { Findings, Violation } from '../verdict.js';

/**
 * P20: a tick is run again once at most, and not where its run had ended before the other one was asked for. That no two runs
 * overlap, and that the later one has the higher fencing token, is for the checkers of locks.
 */
export function againOnce(operations: Operations): Findings {
  const violations: Violation[] = [];
  const asked = operations.attempts.filter((attempt) => attempt.asked.trigger === 'again');
  for (const lock of operations.locks) {
    if (lock.asked.trigger !== 'again') continue;
    const tick = tickOf(lock.asked) ?? '';
    for (const other of operations.locks) {
      if (other === lock || tickOf(other.asked) !== tick) continue;
      const wrong = wrongBefore(operations, other, lock);
      if (wrong === undefined) continue;
      const what = `attempt ${lock.asked.attempt} runs the tick ${tick} again, and attempt ${other.asked.attempt} ${wrong}`;
      violations.push({ what, events: [...proof(other), ...proof(lock)] });
    }
  }
  return { judged: asked.length, violations };
}

function wrongBefore(operations: Operations, before: Lock, lock: Lock): string | undefined {
  const { asked, granted } = lock;
  const isEnded = isEndKnown(operations, before, asked.atMs) && isEndKnown(operations, before, granted.atMs);
  if (isEnded) return 'had ended well';
  if (before.asked.trigger !== 'again' || before.granted.atMs > granted.atMs) return undefined;
  return isInEveryMajority(operations, runKnownBy(operations, before, granted.atMs)) ? 'had done so before' : undefined;
}

function proof({ asked, granted, released }: Lock): HistoryEvent[] {
  return [asked, granted, ...(released ? [released] : [])];
}
