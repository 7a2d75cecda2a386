import { majorityOf, surelyKnownBy } from './knowledge.js';
import type { Lock, Operations } from './operations.js';

/** How many servers are sure to know of a run of a job that has its lock. */
export function runKnownBy(operations: Operations, { asked, granted }: Lock, nowMs: number): number {
  const told = { client: asked.client, fromMs: asked.atMs, toMs: granted.atMs, toAll: false };
  return surelyKnownBy(operations, told, nowMs);
}

/** Whether every majority of the servers has one that knows how this run ended. A run that lost its lock is known to have ended by chance. */
export function isEndKnown(
  operations: Operations,
  { asked, aborted, releasing, released }: Lock,
  nowMs: number,
): boolean {
  if (releasing === undefined || released === undefined || released.code !== undefined || aborted !== undefined) {
    return false;
  }
  if (released.atMs > nowMs) return false;
  const told = { client: asked.client, fromMs: releasing.atMs, toMs: released.atMs, toAll: true };
  return isInEveryMajority(operations, surelyKnownBy(operations, told, nowMs));
}

/** Whether so many servers are one in each majority. */
export function isInEveryMajority({ about: { servers } }: Operations, known: number): boolean {
  return known > servers - majorityOf(servers);
}
