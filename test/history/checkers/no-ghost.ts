import { longestTtlMs, type Story } from '../operations.js';
import { lastSignMs, suspects, upSinceMs } from '../traces.js';
import type { Findings, Violation } from '../verdict.js';

/**
 * P3 and P11: nothing stays behind on a server beyond one ttl, counted from the last sign of life of whoever asked for it, or
 * from when the server was up again, for what it had received and not read. And nothing has a longer ttl than was asked for.
 */
export function noGhost(story: Story): Findings {
  const { about, leftovers, swept } = story;
  const violations: Violation[] = [];
  for (const leftover of leftovers) {
    const { atMs, key, token, server, ttlLeftMs } = leftover;
    const candidates = suspects(story, key, token, atMs);
    if (candidates.length === 0) {
      violations.push({ what: `somebody has "${key}" who has never asked for it`, events: [leftover] });
      continue;
    }
    const ttlMs = Math.max(...candidates.map((attempt) => longestTtlMs(story, attempt)));
    const signMs = Math.max(...candidates.map((attempt) => lastSignMs(story, attempt, atMs) ?? atMs));
    const goneMs = Math.max(signMs, upSinceMs(story, server, atMs) ?? atMs) + ttlMs + about.graceMs + about.toleranceMs;
    const events = [leftover, ...candidates.map(({ asked }) => asked)];
    if (atMs > goneMs) violations.push({ what: `"${key}" had to be gone from server ${server} by ${goneMs}`, events });
    else if (ttlLeftMs === null || ttlLeftMs > ttlMs + about.toleranceMs) {
      violations.push({ what: `"${key}" stays on server ${server} for longer than ${ttlMs} ms`, events });
    }
  }
  return { judged: swept.length, violations, gaps: unswept(story) };
}

/** The servers that nobody has looked at while they were up: what is on them is not known. */
export function unswept(story: Story): string[] {
  const { about, swept } = story;
  const seen = new Set(
    swept.flatMap(({ server, atMs }) => (upSinceMs(story, server, atMs) === undefined ? [] : server)),
  );
  return Array.from({ length: about.servers }, (_, server) => server)
    .filter((server) => !seen.has(server))
    .map((server) => `nobody has looked at what is left on server ${server}`);
}
