import { longestTtlMs, type Operations } from '../operations.js';
import { lastSignMs, suspects, upSinceMs } from '../traces.js';
import type { Findings, Violation } from '../verdict.js';

/**
 * P3 and P11: nothing stays behind on a server beyond one ttl, counted from the last sign of life of whoever asked for it, or
 * from when the server was up again, for what it had received and not read. And nothing has a longer ttl than was asked for.
 */
export function noGhost(operations: Operations): Findings {
  const { about, leftovers, scanned } = operations;
  const violations: Violation[] = [];
  for (const leftover of leftovers) {
    const { atMs, key, token, server, ttlLeftMs } = leftover;
    const candidates = suspects(operations, key, token, atMs);
    if (candidates.length === 0) {
      violations.push({ what: `somebody has "${key}" who has never asked for it`, events: [leftover] });
      continue;
    }
    const ttlMs = Math.max(...candidates.map((attempt) => longestTtlMs(operations, attempt)));
    const signMs = Math.max(...candidates.map((attempt) => lastSignMs(operations, attempt, atMs) ?? atMs));
    const goneMs =
      Math.max(signMs, upSinceMs(operations, server, atMs) ?? atMs) + ttlMs + about.graceMs + about.toleranceMs;
    const events = [leftover, ...candidates.map(({ asked }) => asked)];
    if (atMs > goneMs) violations.push({ what: `"${key}" had to be gone from server ${server} by ${goneMs}`, events });
    else if (ttlLeftMs === null || ttlLeftMs > ttlMs + about.toleranceMs) {
      violations.push({ what: `"${key}" stays on server ${server} for longer than ${ttlMs} ms`, events });
    }
  }
  return { judged: scanned.length, violations, gaps: unscanned(operations) };
}

/** The servers that nobody has looked at while they were up: what is on them is not known. */
export function unscanned(operations: Operations): string[] {
  const { about, scanned } = operations;
  const seen = new Set(
    scanned.flatMap(({ server, atMs }) => (upSinceMs(operations, server, atMs) === undefined ? [] : server)),
  );
  return Array.from({ length: about.servers }, (_, server) => server)
    .filter((server) => !seen.has(server))
    .map((server) => `nobody has looked at what is left on server ${server}`);
}
