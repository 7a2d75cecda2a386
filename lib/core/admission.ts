import type { AcquirePlan } from './acquire.js';
import type { Quorum } from './quorum.js';
import { LARGEST_BATCH, LARGEST_BATCH_CLAIMS } from './request-queue.js';
import type { PermitWaiter } from './semaphore.js';
import type { Vote } from './vote.js';

/**
 * Waits until the attempt may ask; `onPermits(false)` where the time is over first. No more of them ask at one time than the process
 * and the servers get through within a node timeout. So the time within which a server must answer begins when the request can leave, and a rush of 100,000
 * does not fill the queues with requests that are given up before they leave. Where there is room, nothing is put off.
 */
export function admit({ attempts, clock }: Quorum, plan: AcquirePlan, untilMs: number, waiter: PermitWaiter): void {
  attempts.acquire(permitsOf(plan), untilMs - clock.nowMs(), waiter, plan.cancellation);
}

/** The attempt has been admitted, and has its answers. */
export function leave({ attempts }: Quorum, plan: AcquirePlan): void {
  attempts.release(permitsOf(plan));
}

const TOO_BUSY = new Error('not asked, because this process had too many requests under way');

/** The votes of an attempt that was not admitted. */
export function tooBusyVotes({ queues }: Quorum): readonly Vote[] {
  const failure = { outcome: 'failed', reason: 'timeout', cause: TOO_BUSY } as const;
  return queues.map(({ name }, position) => ({ server: name, position, ...failure }));
}

/** One for a lock of a few keys; as many more as it fills of a round trip. */
function permitsOf({ claims }: AcquirePlan): number {
  return Math.max(1, Math.ceil((claims.length * LARGEST_BATCH) / LARGEST_BATCH_CLAIMS));
}
