import type { JobPlan } from './acquire.js';
import type { Clock } from './ports/clock.js';
import type { JobNote, RunEnd } from './ports/job-note.js';
import { errorText } from './error-text.js';

/** What the servers are to note of a run that begins, if they grant its lock. */
export function runBegun({ key, trigger, tickMs }: JobPlan, startedAtMs: number): JobNote {
  return { key, start: { trigger, tickMs, startedAtMs } };
}

/** An attempt that did not get the lock: the servers forget the run. */
export function runUndone(job: JobPlan): JobNote {
  return runBegun(job, 0);
}

/** One run of a job, from its lock on. */
export class RunNote {
  readonly #job: JobPlan;
  readonly #clock: Pick<Clock, 'wallMs'>;
  readonly #startedAtMs: number;
  #end: RunEnd | undefined;
  #cancelledBy: 'paused' | 'unreachable' | undefined;

  constructor(job: JobPlan, clock: Pick<Clock, 'wallMs'>) {
    this.#job = job;
    this.#clock = clock;
    this.#startedAtMs = clock.wallMs();
  }

  /** The tick that it stands for, if there is one. */
  get tick(): Date | undefined {
    const { tickMs } = this.#job;
    return tickMs === 0 ? undefined : new Date(tickMs);
  }

  /** How it ended, once that was said. */
  get ended(): RunEnd | undefined {
    return this.#end;
  }

  /** How it ended: what is said first counts, because a run that lost its lock may end well later. */
  end(outcome: RunEnd['outcome'], error?: unknown): void {
    this.#end ??= {
      outcome,
      endedAtMs: this.#clock.wallMs(),
      error: outcome === 'failed' ? errorText(error) : undefined,
    };
  }

  /** Its lock was gone when it was given back, or its work failed after that. Returns whether the servers were told otherwise. */
  correct(outcome: 'lost' | 'failed' = 'lost', error?: unknown): boolean {
    if (this.#end?.outcome !== 'succeeded') return false;
    const failed = outcome === 'failed' && { endedAtMs: this.#clock.wallMs(), error: errorText(error) };
    this.#end = { ...this.#end, outcome, ...failed };
    return true;
  }

  /** Why it did not take place although it had its lock. */
  get cancelledBy(): 'paused' | 'unreachable' | undefined {
    return this.#cancelledBy;
  }

  /** It does not take place: the servers forget it when its lock is given back, and its tick is free again. */
  cancel(reason: 'paused' | 'unreachable'): void {
    this.#cancelledBy = reason;
  }

  /** What the servers are to keep of it. */
  toNote(): JobNote {
    if (this.#cancelledBy !== undefined) return runUndone(this.#job);
    this.end('succeeded');
    return { ...runBegun(this.#job, this.#startedAtMs), end: this.#end };
  }
}
