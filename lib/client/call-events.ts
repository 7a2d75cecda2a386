import { LockContendedError, QuorumUnreachableError } from '../core/errors/index.js';
import type { LockHandle } from '../core/lock.js';
import type { Clock } from '../core/ports/clock.js';
import type { Refusal } from '../core/refusal.js';
import type { Call, CallMaker } from './call.js';
import type { TracedCall } from './call-tracer.js';
import type { JobEvent } from './events.js';
import type { EventSource } from './event-source.js';
import { RELEASE_FAILED } from './messages.js';
import { errorText } from '../core/error-text.js';

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

  onRefused(call: Call, refusal: Refusal): Refusal {
    if (!this.events.isHeard(refusal.reason === 'unreachable' ? 'unreachable' : 'contended')) return refusal;
    const { error } = refusal;
    const waitedMs = this.#waitedMs(call);
    if (error instanceof LockContendedError) {
      const { reason, owner: holder, remainingMs, votes } = error;
      this.events.emit('contended', { ...this.calls.about(call), reason, holder, remainingMs, waitedMs, votes });
    } else if (error instanceof QuorumUnreachableError) {
      this.events.emit('unreachable', { ...this.calls.about(call), waitedMs, votes: error.votes });
    }
    return refusal;
  }

  /**
   * The call has not got its lock. Another holder is no error for a call that skips then, and neither is the shutdown: then this
   * returns, and the work does not run. A tick that met no majority is skipped, however its call is made: no replica may have run it.
   */
  skipOrThrow(call: Call, refusal: Refusal, skips: boolean): void {
    const { reason } = refusal;
    const { trigger = 'manual' } = call.caller ?? {};
    const isSkip = skips || (reason === 'unreachable' && trigger !== 'manual');
    if (isSkip && this.events.isHeard('skipped')) {
      this.events.emit('skipped', { ...this.calls.about(call), reason, message: refusal.message });
    }
    if (!skips || reason === 'unreachable') throw refusal.error;
  }

  readonly onReleaseFailed = ({ keys }: LockHandle, error: unknown): void => {
    const message = RELEASE_FAILED(errorText(error));
    this.events.emit('warning', { code: 'release-failed', level: 'warn', message, keys });
  };

  /** Waits for the lock of the call. `skips` is whether the call skips its work where it does not get the lock. */
  wait(call: Call, skips: boolean, acquire: Work<LockHandle | Refusal>): Promise<LockHandle | Refusal> {
    const { tracer } = this.events;
    return tracer === undefined ? acquire() : tracer.acquire(this.#traced(call), acquire, skips);
  }

  /** Runs work under the lock of the call. */
  run<T>(call: Call, lock: LockHandle, work: Work<T>, under: (work: Work<T>) => Promise<T>): Promise<T> {
    const { tracer } = this.events;
    const { job, trigger, method } = call.caller ?? {};
    const isRun = job !== undefined && trigger !== undefined && method !== undefined;
    const run = isRun ? () => this.#runJob(call, lock, { job, trigger, method }, work, under) : () => under(work);
    if (tracer === undefined) return run();
    return tracer.hold({ ...this.#traced(call), fencingToken: lock.fencingToken }, run);
  }

  /** Says when the run of a job begins, and how it ends. */
  async #runJob<T>(
    call: Call,
    lock: LockHandle,
    job: Pick<JobEvent, 'job' | 'trigger' | 'method'>,
    work: Work<T>,
    under: (work: Work<T>) => Promise<T>,
  ): Promise<T> {
    const about = this.calls.about(call);
    const event: JobEvent = { ...about, ...job, fencingToken: lock.fencingToken };
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
      const reason = lock.run?.cancelledBy;
      if (reason !== undefined) this.events.emit('skipped', { ...about, reason, message: errorText(error) });
      else this.events.emit('jobFailed', { ...event, durationMs: durationMs(), error, outcome: outcomeUnder(lock) });
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

/** How a run ended that did not end well, as its register has it. A run under the lock of the work around it has none of its own. */
function outcomeUnder(lock: LockHandle): 'failed' | 'lost' {
  const outcome = lock.run?.ended?.outcome ?? (lock.isHeld() ? 'failed' : 'lost');
  // The work may have ended well, and its lock turned out to be lost when it was given back.
  return outcome === 'lost' ? 'lost' : 'failed';
}
