import type { AcquirePlan, JobPlan } from '../../core/acquire.js';
import type { Cancellation } from '../../core/cancellation.js';
import type { RunTrigger } from '../../core/ports/job-note.js';
import type { Claim } from '../../core/ports/lock-node.js';
import { counterKey, lockKey, registerKey, tickKey } from '../keys.js';
import { checkMinHold, type AcquireSettings, type TickSettings } from './acquire-options.js';
import { toKeys, toTtlMs } from './check.js';
import type { Settings } from './module-options.js';

/** Where nobody says how far the ticks are apart, or nothing follows, this is long enough for the latest of timers. */
const UNKNOWN_PERIOD_MS = 24 * 3600 * 1000;

/** Longer than that a tick is not tried while too few servers can be reached. */
const LONGEST_UNREACHABLE_WAIT_MS = 60_000;

/** How long one tick is waited with at most. */
const LONGEST_TICK_WAIT_MS = 24 * 3600 * 1000;

export function toTtl(value: unknown, { driftFactor }: Settings): number {
  return toTtlMs(value, driftFactor);
}

/** What one call asks of the algorithm. Keys in a fixed order, so that everybody meets the same conflict first. */
export function toAcquirePlan(
  asked: unknown,
  ttl: unknown,
  chosen: AcquireSettings,
  settings: Settings,
  /** What makes the run of a job of it. Default: it is none. */
  trigger?: RunTrigger,
): Plan {
  const keys = toKeys(asked);
  const ttlMs = toTtl(ttl, settings);
  checkMinHold(chosen, ttlMs);
  const claims = keys.toSorted().map((each) => {
    const full = lockKey(settings.keyPrefix, each);
    const counter = chosen.fencing ? counterKey(full) : undefined;
    const retentionMs = settings.fencingRetentionMs;
    return new LockClaim(full, ttlMs, Math.max(ttlMs, chosen.minHoldMs), counter, retentionMs);
  });
  const { tick, maxRetries } = chosen;
  // The claim of a tick must outlive those who wait with the same tick, so their wait has an end.
  const waitMs = tick === undefined ? chosen.waitMs : Math.min(chosen.waitMs, LONGEST_TICK_WAIT_MS);
  const lockKeys = claims.map((claim) => claim.key);
  const names = chosen.job === undefined ? lockKeys : [lockKey(settings.keyPrefix, chosen.job)];
  const job = trigger && { key: registerKey(lockKeys, names), trigger, tickMs: tickMsOf(tick) };
  const plan = new Plan(keys, claims, ttlMs, waitMs, maxRetries, job);
  if (tick === undefined) return plan;
  const unreachableWaitMs = unreachableWaitOf(tick, waitMs);
  const claim = 'everyMs' in tick ? intervalOf(tick) : tickOf(tick, unreachableWaitMs, settings);
  const key = tickKey(lockKeys, 'everyMs' in tick ? 'interval' : tick.atMs, names);
  return Object.assign(plan, claim, { tick: { ...claim.tick, key, staysBehind: true }, unreachableWaitMs });
}

/** What one call asks for, and what it is ended by. */
export class Plan implements AcquirePlan {
  tick: Claim | undefined;
  tickLeftMs: number | undefined;
  tickHoldMs: number | undefined;
  unreachableWaitMs: number | undefined;
  cancellation: Cancellation | undefined;
  hint: AcquirePlan['hint'];

  constructor(
    readonly keys: readonly string[],
    readonly claims: readonly Claim[],
    readonly ttlMs: number,
    readonly waitMs: number,
    readonly maxRetries: number,
    readonly job: JobPlan | undefined,
  ) {}
}

class LockClaim implements Claim {
  constructor(
    readonly key: string,
    readonly ttlMs: number,
    readonly quarantineMs: number,
    readonly counter: string | undefined,
    readonly retentionMs: number,
  ) {}
}

function tickMsOf(tick: TickSettings | undefined): number {
  return tick !== undefined && 'atMs' in tick ? tick.atMs : 0;
}

/** A tick that meets no majority of the servers is tried for a quarter of its period, at most a minute (P8). */
function unreachableWaitOf(tick: TickSettings, waitMs: number): number {
  const periodMs = 'everyMs' in tick ? tick.everyMs : (tick.periodMs ?? 0);
  return Math.max(waitMs, Math.min(LONGEST_UNREACHABLE_WAIT_MS, periodMs / 4));
}

type TickPlan = Pick<AcquirePlan, 'tickLeftMs' | 'tickHoldMs'> & { readonly tick: Omit<Claim, 'key'> };

/** The interval is held from the call on, so that waiting for the lock does not make the job come less often. */
function intervalOf({ everyMs }: { readonly everyMs: number }): TickPlan {
  return { tick: { ttlMs: everyMs, quarantineMs: everyMs }, tickHoldMs: everyMs };
}

/**
 * A tick must stay claimed until no replica can come with it any more: one whose clock is behind by the tolerance, whose
 * timer fires late by up to a period (later, it would be the next tick), and which then waits for the lock, or for a
 * majority of the servers.
 *
 * A replica that was paused for longer must not run the tick: by its own clock it may ask until a period and the waiting
 * after the tick. The clock of the replica that ran it was ahead by the tolerance at the most, and the claim lives longer
 * by that. A tick of long ago, given by hand, may be asked for as long as its caller waits.
 */
function tickOf(
  { atMs, periodMs: knownMs = Infinity }: Extract<TickSettings, { atMs: number }>,
  longestWaitMs: number,
  { clockToleranceMs, driftFactor, nodeTimeoutMs }: Settings,
): TickPlan {
  const periodMs = Number.isFinite(knownMs) ? knownMs : UNKNOWN_PERIOD_MS;
  const waitingMs = longestWaitMs + 2 * nodeTimeoutMs;
  const claimedMs = clockToleranceMs + periodMs + waitingMs;
  const ttlMs = claimedMs * (1 + driftFactor);
  // A server that has forgotten the claim does harm only while replicas with other clocks may still come, or still wait.
  const quarantineMs = Math.min(ttlMs, clockToleranceMs + waitingMs);
  const leftMs = Math.max(waitingMs, atMs + periodMs + waitingMs - Date.now());
  return { tick: { ttlMs, quarantineMs }, tickLeftMs: Math.min(claimedMs, leftMs) };
}
