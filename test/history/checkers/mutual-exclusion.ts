import { heldUntilMs, type Lock, type Operations } from '../operations.js';
import type { Findings, Violation } from '../verdict.js';

/**
 * P1: two locks on one key are never valid at the same time, each as its client believes. Nobody's word is doubted: what
 * the servers say does not matter here.
 *
 * An operator who removes a lock by force ends it for this checker: its holder hears of it later, and is not to blame. That
 * goes for every lock which the operator may have seen, and so for none that was asked for after the call.
 */
export function mutualExclusion(operations: Operations): Findings {
  const violations: Violation[] = [];
  const latest = new Map<string, { readonly lock: Lock; readonly untilMs: number }>();
  for (const lock of operations.locks.toSorted((one, other) => one.granted.atMs - other.granted.atMs)) {
    for (const key of lock.asked.keys) {
      const untilMs = Math.min(heldUntilMs(operations, lock), removedAtMs(operations, lock, key));
      if (untilMs <= lock.granted.atMs) continue;
      const before = latest.get(key);
      if (before !== undefined && lock.granted.atMs < before.untilMs) {
        violations.push({
          what:
            `${lock.asked.client} was granted "${key}" at ${lock.granted.atMs}, ` +
            `while ${before.lock.asked.client} had it until ${before.untilMs}`,
          events: [...proof(before.lock), ...proof(lock)],
        });
      }
      if (before === undefined || untilMs > before.untilMs) latest.set(key, { lock, untilMs });
    }
  }
  return { judged: operations.locks.length, violations };
}

function removedAtMs({ removals, clients }: Operations, { asked }: Lock, key: string): number {
  const seen = removals.filter(({ begun, settled }) => {
    const overAtMs = (settled ?? clients.get(begun.client)?.killed)?.atMs ?? Infinity;
    return begun.key === key && asked.atMs <= overAtMs;
  });
  return Math.min(...seen.map(({ begun }) => begun.atMs));
}

function proof({ asked, granted, extended, aborted, releasing }: Lock): Violation['events'] {
  return [asked, granted, extended.at(-1), aborted, releasing].filter((event) => event !== undefined);
}
