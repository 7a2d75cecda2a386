import { keptMs, type Attempt, type Operations } from '../operations.js';
import { lastSignMs, suspects, upSinceMs } from '../traces.js';
import type { Findings, Violation } from '../verdict.js';
import { unscanned } from './no-ghost.js';

/**
 * P11: of a lock that was given back, given up as lost, or never got, nothing at all is left, as soon as its process, alive,
 * and the server, up, have had the time to see to it.
 */
export function nothingLeft(operations: Operations): Findings {
  const violations: Violation[] = [];
  for (const leftover of operations.leftovers) {
    const { atMs, key, token, server } = leftover;
    const candidates = suspects(operations, key, token, atMs);
    const clearMs = Math.max(...candidates.map((attempt) => clearAtMs(operations, attempt, server, atMs)));
    if (candidates.length === 0 || atMs <= clearMs) continue;
    violations.push({
      what: `"${key}" was given back on server ${server} by ${clearMs}, and still there at ${atMs}`,
      events: [leftover, ...candidates.flatMap(({ asked, released }) => (released ? [asked, released] : [asked]))],
    });
  }
  return { judged: operations.scanned.length, violations, gaps: unscanned(operations) };
}

/** By when this attempt has removed its traces from the server; Infinity where nobody can ask that of it. */
function clearAtMs(operations: Operations, attempt: Attempt, server: number, nowMs: number): number {
  const { asked, granted } = attempt;
  const { graceMs, toleranceMs } = operations.about;
  const signMs = lastSignMs(operations, attempt, nowMs);
  const upMs = upSinceMs(operations, server, nowMs);
  if (signMs === undefined || upMs === undefined) return Infinity;
  const { killed, stopped, pauses = [] } = operations.clients.get(asked.client) ?? {};
  let doneMs = Math.max(signMs, upMs);
  // Who stood still began late.
  for (const { fromMs, toMs } of pauses) if (fromMs <= doneMs + graceMs) doneMs = Math.max(doneMs, toMs);
  // How long it still has to stay was worked out when the release left, and counts from when it arrives.
  const heldMs = granted ? Math.max(granted.atMs, upMs) + keptMs(operations, attempt) : -Infinity;
  const clearMs = Math.max(doneMs, heldMs) + graceMs + toleranceMs;
  const goneMs = (killed ?? stopped)?.atMs ?? Infinity;
  return goneMs <= doneMs + graceMs ? Infinity : clearMs;
}
