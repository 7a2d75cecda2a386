import type { AcquirePlan } from '../core/acquire.js';
import type { Claim } from '../core/ports/lock-node.js';
import { counterKey, lockKey, tickKey } from '../redlock.keys.js';
import type { AcquireSettings } from './acquire-options.js';
import { toKeys, toTtlMs } from './check.js';
import type { Settings } from './module-options.js';

/** Where nobody says how far the ticks are apart, or nothing follows, this is long enough for the latest of timers. */
const UNKNOWN_PERIOD_MS = 24 * 3600 * 1000;

/** How long one tick is waited with at most. */
const LONGEST_TICK_WAIT_MS = 24 * 3600 * 1000;

export function toTtl(value: unknown, { driftFactor }: Settings): number {
  return toTtlMs(value, driftFactor);
}

/** What one call asks of the algorithm. Keys in a fixed order, so that everybody meets the same conflict first. */
export function toAcquirePlan(key: unknown, ttl: unknown, chosen: AcquireSettings, settings: Settings): AcquirePlan {
  const keys = toKeys(key);
  const ttlMs = toTtl(ttl, settings);
  const claims = keys.toSorted().map((each): Claim => {
    const full = lockKey(settings.keyPrefix, each);
    const counter = chosen.fencing ? counterKey(full) : undefined;
    return { key: full, ttlMs, guardMs: Math.max(ttlMs, chosen.minHoldMs), counter };
  });
  const { tick, maxRetries, signal } = chosen;
  // The claim of a tick must outlive those who wait with the same tick, so their wait has an end.
  const waitMs = tick === undefined ? chosen.waitMs : Math.min(chosen.waitMs, LONGEST_TICK_WAIT_MS);
  return { keys, claims, tick: tickClaim(claims, { ...chosen, waitMs }, settings), ttlMs, waitMs, maxRetries, signal };
}

/**
 * A tick must stay claimed until no replica can come with it any more: one whose clock is behind by the tolerance, whose
 * timer fires late by up to a period (later, it would be the next tick), and which then waits for the lock.
 */
function tickClaim(claims: readonly Claim[], { tick, waitMs }: AcquireSettings, settings: Settings): Claim | undefined {
  if (tick === undefined) return undefined;
  const { clockToleranceMs, driftFactor, nodeTimeoutMs } = settings;
  const periodMs = Number.isFinite(tick.periodMs) ? tick.periodMs : UNKNOWN_PERIOD_MS;
  const waitingMs = waitMs + 2 * nodeTimeoutMs;
  const ttlMs = (clockToleranceMs + periodMs + waitingMs) * (1 + driftFactor);
  // A server that has forgotten the claim does harm only while replicas with other clocks may still come, or still wait.
  return {
    key: tickKey(
      claims.map(({ key }) => key),
      tick.atMs,
    ),
    ttlMs,
    guardMs: Math.min(ttlMs, clockToleranceMs + waitingMs),
  };
}
