import { LockClient } from '../client/lock-client.js';
import { runOf } from '../client/jobs/run-of.js';
import { toMs } from '../client/options/check.js';
import { ticksOf } from '../cron/tick.js';
import type { Lock } from '../interfaces/index.js';
import type { RedlockService } from '../redlock.service.js';
import type { Firing } from './firing.js';
import type { LockedMethod } from './locked-method.js';

/** Longer than replicas with one clock need to fire, and shorter than a person notices. */
const DEFAULT_SPREAD_MS = 25;

/** Where too few servers have answered. */
const LOOK_AGAIN_MS = 500;

/** So late a timer may be, also where its process does not stand still. */
const LATE_MS = 100;

/** The client of the service. What stands in for a service in the tests of an application may be anything, and has none. */
export function clientOf(service: Partial<RedlockService>): LockClient | undefined {
  try {
    return service.client instanceof LockClient ? service.client : undefined;
  } catch {
    return undefined;
  }
}

/** Chance, as the client has it: that of a test replays. */
export function randomMs(client: LockClient, boundMs: number): number {
  return boundMs * (client.shards.list[0]?.quorum.entropy.random() ?? 0);
}

/** How long a replica may wait before it asks for the lock of a run. */
export function spreadBoundMs({ options }: LockedMethod, periodMs: number): number {
  // A test that has faked the timers lets time pass up to the tick, and expects that it runs then.
  const byDefault = 'clock' in globalThis.setTimeout ? 0 : DEFAULT_SPREAD_MS;
  return Math.min(options.spread === undefined ? byDefault : toMs('spread', options.spread), periodMs / 4);
}

/** Waits for a random part of the spread, or until the application shuts down, and returns how long that was. */
export async function spreadOut(service: RedlockService, method: LockedMethod, firing: Firing): Promise<number> {
  const client = clientOf(service);
  if (client === undefined || firing.kind === 'asked') return 0;
  const boundMs = Math.min(spreadBoundMs(method, periodMsOf(firing)), leftMsOf(client, firing));
  if (boundMs === 0) return 0;
  const startMs = client.shards.clock.nowMs();
  await pause(client, randomMs(client, boundMs), [service.closing]);
  return client.shards.clock.nowMs() - startMs;
}

/**
 * Waits for a random part of the jitter, under the lock. The job may be paused meanwhile: then no run takes place.
 *
 * @throws LockLostError where the lock is lost meanwhile
 * @throws LockContendedError where the job is paused
 * @throws QuorumUnreachableError where too few servers answer to know that when the application shuts down. Before, they are asked again while the lock is held
 */
export async function waitForJitter(service: RedlockService, { options }: LockedMethod, lock: Lock): Promise<void> {
  const client = clientOf(service);
  if (client === undefined || options.jitter === undefined) return;
  await pause(client, randomMs(client, toMs('jitter', options.jitter)), [lock.signal, service.closing]);
  await ensureHeld(lock);
  const place = { name: options.job, keys: lock.keys };
  let refusal = await client.jobs.whyPaused(place);
  // The lock outlives a short outage, and its tick must not be lost in it.
  while (refusal?.reason === 'unreachable' && lock.isHeld() && !service.closing.aborted) {
    await pause(client, LOOK_AGAIN_MS, [lock.signal, service.closing]);
    refusal = await client.jobs.whyPaused(place);
  }
  if (refusal !== undefined) {
    await ensureHeld(lock);
    runOf(lock)?.cancel(refusal.reason === 'paused' ? 'paused' : 'unreachable');
    throw refusal.error;
  }
  await ensureHeld(lock);
}

/** Where the machine was suspended meanwhile the servers know whether the lock is still held (P19). */
async function ensureHeld(lock: Lock): Promise<void> {
  if (!lock.isHeld()) await lock.extend();
}

/** A firing that is nearly a period late asks for its tick before that is over: later, the claim of the replica that ran it may be gone. */
function leftMsOf(client: LockClient, firing: Exclude<Firing, { kind: 'asked' }>): number {
  if (firing.kind !== 'cron') return Infinity;
  const { atMs, periodMs } = ticksOf(firing.cronTime)(firing.firedAtMs);
  return Math.max(0, atMs + periodMs - LATE_MS - client.shards.clock.wallMs());
}

function periodMsOf(firing: Exclude<Firing, { kind: 'asked' }>): number {
  return firing.kind === 'cron' ? ticksOf(firing.cronTime)(firing.firedAtMs).periodMs : firing.everyMs;
}

function pause(client: LockClient, delayMs: number, signals: readonly AbortSignal[]): Promise<void> {
  if (delayMs === 0 || signals.some(({ aborted }) => aborted)) return Promise.resolve();
  return new Promise((resolve) => {
    const end = (): void => {
      cancel();
      for (const signal of signals) signal.removeEventListener('abort', end);
      resolve();
    };
    const cancel = client.shards.clock.after(delayMs, end);
    for (const signal of signals) signal.addEventListener('abort', end, { once: true });
  });
}
