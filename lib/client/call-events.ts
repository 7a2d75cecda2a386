import { isRedlockError, type LockContendedError } from '../core/errors/index.js';
import type { LockHandle } from '../core/lock.js';
import type { Clock } from '../core/ports/clock.js';
import type { Call, CallMaker } from './call.js';
import type { JobEvent } from './events.js';
import type { EventSource } from './event-source.js';

type Work<T> = () => Promise<T>;

/** Says what becomes of the calls of a client. It makes nothing where nothing listens. */
export class CallEvents {
  constructor(
    private readonly events: EventSource,
    private readonly calls: CallMaker,
    private readonly clock: Clock,
  ) {}

  onAcquired(call: Call, lock: LockHandle): void {
    if (!this.events.isHeard('acquired')) return;
    const { fencingToken } = lock;
    const { ttlMs } = call.plan;
    this.events.emit('acquired', { ...this.calls.about(call), fencingToken, waitedMs: this.#waitedMs(call), ttlMs });
  }

  onFailed(call: Call, error: unknown): void {
    if (isContended(error) && this.events.isHeard('contended')) {
      const { reason, owner: holder, remainingMs, votes } = error;
      const waitedMs = this.#waitedMs(call);
      this.events.emit('contended', { ...this.calls.about(call), reason, holder, remainingMs, waitedMs, votes });
    } else if (isRedlockError(error, 'QUORUM_UNREACHABLE') && this.events.isHeard('unreachable')) {
      const { votes } = error;
      this.events.emit('unreachable', { ...this.calls.about(call), waitedMs: this.#waitedMs(call), votes });
    }
  }

  /** The work of the call does not run. */
  onSkipped(call: Call, error: Error): void {
    if (!this.events.isHeard('skipped')) return;
    const { message } = error;
    this.events.emit('skipped', { ...this.calls.about(call), reason: reasonOf(error), message });
  }

  /** Runs work under the lock of the call. Where that is the run of a job, it says when it begins and how it ends. */
  async run<T>(call: Call, lock: LockHandle, work: Work<T>, under: (work: Work<T>) => Promise<T>): Promise<T> {
    const { job, trigger, method } = call.caller ?? {};
    if (job === undefined || trigger === undefined || method === undefined) return await under(work);
    const about = this.calls.about(call);
    const event: JobEvent = { ...about, job, method, trigger, fencingToken: lock.fencingToken };
    const lateByMs = about.tick === undefined ? 0 : Math.max(0, this.clock.wallMs() - about.tick.getTime());
    this.events.emit('jobStarted', { ...event, lateByMs });
    const startedAtMs = this.clock.nowMs();
    let endedAtMs: number | undefined;
    const timed = async (): Promise<T> => {
      try {
        return await work();
      } finally {
        endedAtMs = this.clock.nowMs();
      }
    };
    const durationMs = (): number => (endedAtMs ?? this.clock.nowMs()) - startedAtMs;
    try {
      const result = await under(timed);
      this.events.emit('jobSucceeded', { ...event, durationMs: durationMs() });
      return result;
    } catch (error) {
      this.events.emit('jobFailed', { ...event, durationMs: durationMs(), error });
      throw error;
    }
  }

  #waitedMs({ startedAtMs }: Call): number {
    return this.clock.nowMs() - startedAtMs;
  }
}

function reasonOf(error: Error): LockContendedError['reason'] | 'unreachable' | 'closing' {
  if (isContended(error)) return error.reason;
  return isRedlockError(error, 'SHUTDOWN') ? 'closing' : 'unreachable';
}

/** By its code: another copy of this package in the process may have made it. */
function isContended(error: unknown): error is LockContendedError {
  return isRedlockError(error, 'LOCK_CONTENDED');
}
