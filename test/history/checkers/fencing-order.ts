import type { Lock, Operations } from '../operations.js';
import type { Findings, Violation } from '../verdict.js';

/**
 * P2: whoever asks for a lock when a grant of it is known gets a larger fencing token, and no two grants of a key have the
 * same one.
 */
export function fencingOrder({ locks }: Operations): Findings {
  const violations: Violation[] = [];
  const byKey = new Map<string, Lock[]>();
  let judged = 0;
  for (const lock of locks) {
    if (lock.granted.fence === null) continue;
    judged++;
    for (const key of lock.asked.keys) {
      const same = byKey.get(key);
      if (same === undefined) byKey.set(key, [lock]);
      else same.push(lock);
    }
  }
  for (const [key, same] of byKey) violations.push(...twice(key, same), ...backwards(key, same));
  return { judged, violations };
}

function twice(key: string, locks: readonly Lock[]): Violation[] {
  const seen = new Map<number | null, Lock>();
  return locks.flatMap((lock) => {
    const { fence } = lock.granted;
    const other = seen.get(fence);
    seen.set(fence, lock);
    if (other === undefined) return [];
    return [{ what: `two grants of "${key}" have the fencing token ${fence}`, events: [other.granted, lock.granted] }];
  });
}

/** In the order of asking, each against the largest token that was known by then. */
function backwards(key: string, locks: readonly Lock[]): Violation[] {
  const violations: Violation[] = [];
  const granted = locks.toSorted((one, other) => one.granted.atMs - other.granted.atMs);
  let known = 0;
  let largest: Lock | undefined;
  for (const lock of locks.toSorted((one, other) => one.asked.atMs - other.asked.atMs)) {
    for (
      let next = granted[known];
      next !== undefined && next.granted.atMs < lock.asked.atMs;
      next = granted[++known]
    ) {
      if (largest === undefined || fenceOf(next) > fenceOf(largest)) largest = next;
    }
    if (largest === undefined || fenceOf(lock) > fenceOf(largest)) continue;
    violations.push({
      what: `"${key}" was granted under ${fenceOf(lock)}, although ${fenceOf(largest)} was known when it was asked for`,
      events: [largest.granted, lock.asked, lock.granted],
    });
  }
  return violations;
}

function fenceOf({ granted }: Lock): number {
  return granted.fence ?? 0;
}
