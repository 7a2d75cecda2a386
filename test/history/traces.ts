import {
  heldUntilMs,
  keptMs,
  longestTtlMs,
  settledAtMs,
  type Attempt,
  type Lock,
  type Span,
  type Operations,
} from './operations.js';

/**
 * When an attempt may have kept others from its keys, or undefined for one that was refused: what that had taken it gives
 * back. A lock that was given back is gone when everybody has heard of it, and what a process that died or stands still had, or
 * had not given back yet, when its ttl is over.
 */
export function heldOnServers(operations: Operations, attempt: Attempt): Span | undefined {
  const { asked, refused, granted } = attempt;
  const { graceMs, toleranceMs } = operations.about;
  const killedAtMs = operations.clients.get(asked.client)?.killed?.atMs ?? Infinity;
  const ttlMs = longestTtlMs(operations, attempt);
  if (granted === undefined) {
    // Who shuts down waits until it is given back, but not for a server that is away.
    const stoppedAtMs = operations.clients.get(asked.client)?.stopped?.atMs ?? Infinity;
    const sentAtMs = refused === undefined ? Infinity : deliveredAtMs(operations, refused.atMs);
    if ((killedAtMs < Infinity && killedAtMs <= sentAtMs + graceMs) || stoppedAtMs < sentAtMs) {
      const lastMs = deliveredAtMs(operations, Math.min(killedAtMs, stoppedAtMs));
      return { fromMs: asked.atMs, toMs: lastMs + ttlMs + toleranceMs };
    }
    const pause = refused && pauseAfter(operations, asked.client, refused.atMs);
    if (pause === undefined) return undefined;
    const toMs = Math.min(pause.toMs + graceMs, deliveredAtMs(operations, pause.fromMs) + ttlMs);
    return { fromMs: asked.atMs, toMs: toMs + toleranceMs };
  }
  const lock = attempt as Lock;
  const untilMs = heldUntilMs(operations, lock);
  const longMs = keptMs(operations, attempt);
  const keptUntilMs = granted.atMs + longMs;
  // A clean release is over when a majority has confirmed it, but the rest of it is still on its way, if nobody dies.
  const { released } = lock;
  const isOver = released !== undefined && released.code === undefined && released.atMs + graceMs < killedAtMs;
  // Who shuts down gives it up, but a server that is away keeps it.
  const stoppedAtMs = operations.clients.get(asked.client)?.stopped?.atMs ?? Infinity;
  const wasLeft = isOver && released.atMs > stoppedAtMs && deliveredAtMs(operations, stoppedAtMs) > stoppedAtMs;
  const clean = isOver && !wasLeft;
  const lastMs = killedAtMs < Infinity ? deliveredAtMs(operations, untilMs) : untilMs;
  // A release that no majority has confirmed may arrive late, and what it leaves of a `minHold` counts from its arrival.
  const leftMs = released?.code === undefined ? 0 : longMs;
  const toMs = clean ? Math.max(released.atMs, keptUntilMs) + graceMs : lastMs + ttlMs + leftMs + graceMs;
  return { fromMs: asked.atMs, toMs: toMs + toleranceMs };
}

/**
 * The pause of a process that began while what it had asked for, or given back, may still have been on its way: a server that
 * it was cut off from receives that when the network is whole again, and a paused process cannot take it back.
 */
function pauseAfter(operations: Operations, client: string, atMs: number): Span | undefined {
  const lastMs = deliveredAtMs(operations, atMs) + operations.about.graceMs;
  return operations.clients.get(client)?.pauses.find(({ fromMs }) => fromMs >= atMs && fromMs <= lastMs);
}

/** When what was sent last before this instant has arrived everywhere: at a server that is away, when it is up again. */
function deliveredAtMs({ away }: Operations, atMs: number): number {
  const late = away.flat().filter(({ fromMs, toMs }) => fromMs <= atMs && atMs <= toMs);
  return Math.max(atMs, ...late.map(({ toMs }) => toMs));
}

/**
 * The last instant at which the client of this attempt can have asked a server to take or extend it, as far as is known at
 * `nowMs`; undefined while that may still happen.
 */
export function lastSignMs(operations: Operations, attempt: Attempt, nowMs: number): number | undefined {
  const killedAtMs = operations.clients.get(attempt.asked.client)?.killed?.atMs ?? Infinity;
  const endMs =
    attempt.granted === undefined ? (settledAtMs(attempt) ?? Infinity) : heldUntilMs(operations, attempt as Lock);
  const signMs = Math.min(killedAtMs, endMs);
  return signMs <= nowMs ? signMs : undefined;
}

/** Since when the server has been up at this instant; undefined while it is away. */
export function upSinceMs({ away }: Operations, server: number, nowMs: number): number | undefined {
  let sinceMs = -Infinity;
  for (const { fromMs, toMs } of away[server] ?? []) {
    if (fromMs <= nowMs && nowMs <= toMs) return undefined;
    if (toMs <= nowMs) sinceMs = Math.max(sinceMs, toMs);
  }
  return sinceMs;
}

/** The attempts that can have left this token on a key: the lock that has it, or else whoever asked and got nothing. */
export function suspects(
  { attempts, locks }: Operations,
  key: string,
  token: string,
  nowMs: number,
): readonly Attempt[] {
  const owner = locks.find(({ granted }) => granted.token === token);
  if (owner !== undefined) return [owner];
  return attempts.filter(({ asked }) => asked.keys.includes(key) && asked.atMs <= nowMs);
}
