import type { AcquirePlan, Grant } from './acquire.js';
import type { KeepPlan } from './lock.js';
import { nodeTimeoutMs, type Quorum } from './quorum.js';
import { release } from './release.js';

/** How many round trips those in other processes have for taking a lock of which they were told. */
const POLITE_TRIPS = 2;

/**
 * Releases a lock that was held, and lets those in who wait for it (P14). Who comes next in this process asks for it in the
 * same breath. If that is nobody, or it has been so for a while, others are told, and have the first go.
 */
export async function giveBack(
  quorum: Quorum,
  { keys, claims, ttlMs }: AcquirePlan,
  { token, grantedAtMs, turn }: Grant,
  { minHoldMs }: KeepPlan,
): Promise<void> {
  const { clock, rules } = quorum;
  const releasedAtMs = clock.nowMs();
  const keepUntilMs = grantedAtMs + minHoldMs;
  // Who waits for the end of the ttl must hear that it has come nearer.
  const heirsKeys = keepUntilMs > releasedAtMs || turn === undefined ? new Set() : turn.heirsKeys();
  const released = release(quorum, {
    keys,
    token,
    claims: claims.map(({ key }) => ({ key, ttlMs: 0, channel: heirsKeys.has(key) ? undefined : key })),
    keepUntilMs,
    timeoutMs: nodeTimeoutMs(rules, ttlMs),
  });
  if (heirsKeys.size > 0) turn?.handOn();
  try {
    const { heard } = await released;
    if (heard > 0) turn?.yieldFor(POLITE_TRIPS * (clock.nowMs() - releasedAtMs), rules.nodeTimeoutMs);
  } finally {
    turn?.leave();
  }
}
