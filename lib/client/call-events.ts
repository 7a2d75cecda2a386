import { isRedlockError, type LockContendedError } from '../core/errors/index.js';
import type { LockHandle } from '../core/lock.js';
import type { Clock } from '../core/ports/clock.js';
import type { Call, CallMaker } from './call.js';
import type { TracedCall } from './call-tracer.js';
import type { JobEvent, SkipReason } from './events.js';
import type { EventSource } from './event-source.js';
import { RELEASE_FAILED } from './messages.js';

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

  /**
   * The call has not got its lock. Another holder is no error for a call that skips then, and neither is the shutdown: then this
   * returns, and the work does not run.
   */
  skipOrThrow(call: Call, error: unknown, skips: boolean): void {
    const reason = skips ? skipReasonOf(error) : undefined;
    if (reason !== undefined && this.events.isHeard('skipped')) {
      const { message } = error as Error;
      this.events.emit('skipped', { ...this.calls.about(call), reason, message });
    }
    if (reason === undefined || reason === 'unreachable') throw error;
  }

  readonly onReleaseFailed = ({ keys }: LockHandle, error: unknown): void => {
    const message = RELEASE_FAILED(error instanceof Error ? error.message : String(error));
    this.events.emit('warning', { code: 'release-failed', level: 'warn', message, keys });
  };

  /** Waits for the lock of the call. `skips` is whether the call skips its work where it does not get the lock. */
  wait(call: Call, skips: boolean, acquire: Work<LockHandle>): Promise<LockHandle> {
    const { tracer } = this.events;
    if (tracer === undefined) return acquire();
    return tracer.acquire(this.#traced(call), acquire, (error) => (skips ? skipReasonOf(error) : undefined));
  }

  /** Runs work under the lock of the call. */
  run<T>(call: Call, lock: LockHandle, work: Work<T>, under: (work: Work<T>) => Promise<T>): Promise<T> {
    const { tracer } = this.events;
    if (tracer === undefined) return this.#run(call, lock, work, under);
    const traced = { ...this.#traced(call), fencingToken: lock.fencingToken };
    return tracer.hold(traced, () => this.#run(call, lock, work, under));
  }

  /** Where it is the run of a job, this says when it begins and how it ends. */
  async #run<T>(call: Call, lock: LockHandle, work: Work<T>, under: (work: Work<T>) => Promise<T>): Promise<T> {
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

  #traced(call: Call): TracedCall {
    const { instance } = this.events;
    return { ...this.calls.about(call), ...(instance !== undefined && { instance }) };
  }

  #waitedMs({ startedAtMs }: Call): number {
    return this.clock.nowMs() - startedAtMs;
  }
}

function skipReasonOf(error: unknown): SkipReason | undefined {
  if (isContended(error)) return error.reason;
  if (isRedlockError(error, 'SHUTDOWN')) return 'closing';
  return isRedlockError(error, 'QUORUM_UNREACHABLE') ? 'unreachable' : undefined;
}

/** By its code: another copy of this package in the process may have made it. */
function isContended(error: unknown): error is LockContendedError {
  return isRedlockError(error, 'LOCK_CONTENDED');
}
