import type { AcquirePlan } from '../core/acquire.js';
import type { Claim } from '../core/ports/lock-node.js';
import { counterKey, lockKey, tickKey } from '../redlock.keys.js';
import type { Tick } from '../cron/tick.js';
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
    const retentionMs = settings.fencingRetentionMs;
    return { key: full, ttlMs, guardMs: Math.max(ttlMs, chosen.minHoldMs), counter, retentionMs };
  });
  const { tick, maxRetries, signal } = chosen;
  // The claim of a tick must outlive those who wait with the same tick, so their wait has an end.
  const waitMs = tick === undefined ? chosen.waitMs : Math.min(chosen.waitMs, LONGEST_TICK_WAIT_MS);
  return { keys, claims, ...tickOf(claims, tick, waitMs, settings), ttlMs, waitMs, maxRetries, signal };
}

/**
 * A tick must stay claimed until no replica can come with it any more: one whose clock is behind by the tolerance, whose
 * timer fires late by up to a period (later, it would be the next tick), and which then waits for the lock.
 *
 * Whoever stood still beyond that must not come: by its own clock it may ask until a period and the waiting after the
 * tick. The clock of whoever ran it was ahead by the tolerance at the most, and so much longer the claim lives. A tick of long
 * ago, which somebody gives by hand, may be asked for as long as anybody waits.
 */
function tickOf(
  claims: readonly Claim[],
  tick: Tick | undefined,
  waitMs: number,
  { clockToleranceMs, driftFactor, nodeTimeoutMs }: Settings,
): Pick<AcquirePlan, 'tick' | 'tickLeftMs'> {
  if (tick === undefined) return {};
  const keys = claims.map(({ key }) => key);
  const periodMs = Number.isFinite(tick.periodMs) ? tick.periodMs : UNKNOWN_PERIOD_MS;
  const waitingMs = waitMs + 2 * nodeTimeoutMs;
  const claimedMs = clockToleranceMs + periodMs + waitingMs;
  const ttlMs = claimedMs * (1 + driftFactor);
  // A server that has forgotten the claim does harm only while replicas with other clocks may still come, or still wait.
  const guardMs = Math.min(ttlMs, clockToleranceMs + waitingMs);
  const leftMs = Math.max(waitingMs, tick.atMs + periodMs + waitingMs - Date.now());
  return {
    tick: { key: tickKey(keys, tick.atMs), ttlMs, guardMs, staysBehind: true },
    tickLeftMs: Math.min(claimedMs, leftMs),
  };
}
