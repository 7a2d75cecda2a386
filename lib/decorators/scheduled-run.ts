import { isRedlockError } from '../core/errors/index.js';
import type { Lock } from '../interfaces/index.js';
import { NOT_BEGUN } from '../redlock.messages.js';
import type { RedlockService } from '../redlock.service.js';
import { anySignal } from './any-signal.js';
import { jobOptions, nameOfJob, ttlOf, whenContendedOf, type Call } from './call-options.js';
import { keyOf } from './checks.js';
import { spreadOut, waitForJitter } from './delays.js';
import { beginWork, type Firing } from './firing.js';
import { claimJobName } from './job-names.js';
import { noteKeys } from './job-places.js';
import type { LockedMethod } from './locked-method.js';
import { serviceOf } from './services.js';

/** Runs a method because it has been fired: by hand, or for a tick. */
export async function runFiring(
  service: RedlockService,
  firing: Firing,
  method: LockedMethod,
  call: Call,
): Promise<unknown> {
  if (firing.kind !== 'asked') return await runTick(service, firing, method, call);
  const work = async (lock: Lock): Promise<unknown> => {
    firing.onBegun?.(lock);
    return await call.work(lock);
  };
  if (firing.trigger !== 'manual') return await runTick(service, firing, method, { ...call, work });
  const key = keyOf(method, call.host, call.args);
  noteKeys(call.host, method.propertyKey, key);
  const begun = (lock: Lock): Promise<unknown> => beginWork(firing, key, () => work(lock));
  return await service.withLock(key, ttlOf(service, method), begun, jobOptions(method, key, firing));
}

/** Runs a method for a tick of its schedule, on one of all replicas. */
async function runTick(service: RedlockService, firing: Firing, method: LockedMethod, call: Call): Promise<unknown> {
  // What stands in for the service in the tests of an application may have no more than `withLock`.
  const closing = (): AbortSignal | undefined => (service as Partial<RedlockService>).closing;
  const isClosing = (): boolean => closing()?.aborted ?? false;
  const spreadMs = isClosing() ? 0 : await spreadOut(service, method, firing);
  // Other replicas, or this one after its restart, run what the schedule asks for from now on.
  if (isClosing()) {
    emitClosing(service, method);
    return undefined;
  }
  const run = { begun: false };
  const work = async (lock: Lock): Promise<unknown> => {
    await waitForJitter(service, method, lock);
    run.begun = true;
    return await call.work(lock);
  };
  let isTold = false;
  try {
    const result = await lockAndWork(service, firing, method, { ...call, work }, spreadMs);
    if (run.begun || !isClosing()) return result;
    isTold = true;
  } catch (error) {
    if (run.begun) throw error;
    // The job was paused during the jitter.
    const skips = whenContendedOf(firing, method.options.onContended) === 'skip';
    if (skips && isRedlockError(error, 'LOCK_CONTENDED')) return undefined;
    if (!isClosing() || error !== closing()?.reason) throw withoutFrames(error);
  }
  // The application has closed before the run began. Another one that has the same host may live on.
  const other = serviceOf(call.host, method.property) ?? service;
  // No application is left, and the client has told of the skip.
  if (isTold && (other as Partial<RedlockService>).closing?.aborted) return undefined;
  return await runTick(other, firing, method, call);
}

async function lockAndWork(
  service: RedlockService,
  firing: Firing,
  method: LockedMethod,
  { host, args, work }: Call,
  spreadMs: number,
): Promise<unknown> {
  const key = keyOf(method, host, args);
  claimJobName(service, method, { host }, method.options.job ?? key, firing.firedAtMs);
  noteKeys(host, method.propertyKey, key);
  const options = jobOptions(method, key, firing, spreadMs);
  const { signal, dispose } = anySignal([options.signal, (service as Partial<RedlockService>).closing]);
  if (signal !== undefined) options.signal = signal;
  try {
    const begun = (lock: Lock): Promise<unknown> => beginWork(firing, key, () => work(lock));
    return await service.withLock(key, ttlOf(service, method), begun, options);
  } finally {
    dispose();
  }
}

function emitClosing({ client }: Partial<RedlockService>, { label, key, options }: LockedMethod): void {
  const keys = typeof key === 'function' ? [] : [key].flat();
  const job = nameOfJob({ options }, keys);
  const about = { keys, method: label, ...(job !== '' && { job }), owner: client?.settings.owner ?? '' };
  client?.events.emit('skipped', { ...about, reason: 'closing', message: NOT_BEGUN(label) });
}

/**
 * The scheduler writes the error to the log, once for each tick that no replica could run. The frames of this package in it help no
 * reader, and what the servers said is in the message.
 */
function withoutFrames(error: unknown): unknown {
  if (isRedlockError(error, 'QUORUM_UNREACHABLE')) error.stack = `${error.name}: ${error.message}`;
  return error;
}
