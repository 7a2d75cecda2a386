import type { LockClient } from '../client/lock-client.js';
import { Alarm } from './alarm.js';
import type { Attempts, Denial } from './attempts.js';
import type { Job } from './job.js';
import type { JobRecord, RegisteredRun } from './register.js';

/** How far the replicas that watch a run look at it apart from one another, at most a tenth of the ttl. */
const APART_MS = 500;

/** When the application has started it need not look at all jobs at once. */
const START_WITHIN_MS = 1000;

/**
 * Runs a tick again whose replica has died in the middle. What shows the death is the register: a run without an end, whose token no
 * server shows as the holder of the lock any more. So it is looked at when the lock would be over, and for as long as the run goes on.
 */
export class CrashWatch {
  readonly #alarm: Alarm;
  /** The oldest tick that is watched; undefined while none is. */
  #fromMs: number | undefined;
  #isToStart = false;
  /** Ticks that this replica has run again, or was denied. */
  readonly #settled = new Set<number>();

  constructor(
    private readonly job: Job,
    private readonly client: LockClient,
    private readonly attempts: Attempts,
  ) {
    this.#alarm = new Alarm(job, client, () => this.#look());
  }

  /** Looks at the newest tick that is due now. */
  start(): void {
    this.#isToStart = true;
    this.#alarm.set(0, START_WITHIN_MS);
  }

  /**
   * Another replica runs the tick, or an earlier one: one watch is for all that are not over.
   *
   * @param leftMs when the lock is over, unless it is extended
   */
  watch(tickMs: number, leftMs = this.job.ttlMs): void {
    this.#fromMs ??= tickMs;
    if (!this.#alarm.isSet) this.#lookIn(leftMs);
  }

  stop(): void {
    this.#alarm.end();
  }

  async #look(): Promise<void> {
    const { job } = this;
    const { place } = job;
    const isStart = this.#isToStart;
    this.#isToStart = false;
    if (isStart) this.#fromMs ??= job.tickAt(this.client.shards.clock.wallMs())?.atMs;
    if (place === undefined || this.#fromMs === undefined) return;
    let record: JobRecord;
    try {
      record = await this.client.jobs.read(place);
    } catch {
      this.#lookIn(job.ttlMs);
      return;
    }
    const fromMs = (this.#fromMs = Math.min(this.#fromMs, watchedTickMs(record, isStart)));
    const runs = record.runs.filter(({ tickMs }) => tickMs >= fromMs);
    const dead = runs.find(({ outcome, tickMs }) => outcome === 'died' && !this.#settled.has(tickMs));
    if (dead !== undefined) {
      // The servers deny it where a run of the tick has ended, where it was run again before, and where the job is paused.
      const denial = await this.attempts.run('again', this.#tickOf(dead));
      if (!isPassing(denial)) this.#settled.add(dead.tickMs);
      this.#lookIn(denial?.reason === 'locked' ? denial.remainingMs : job.ttlMs);
    } else if (runs.some(({ outcome, trigger }) => outcome === 'running' && trigger !== 'again')) {
      this.#lookIn(job.ttlMs);
    } else {
      this.#fromMs = undefined;
      this.#settled.clear();
    }
  }

  #tickOf({ tickMs }: RegisteredRun): { atMs: number; periodMs: number } {
    const tick = this.job.tickAt(tickMs + 1000);
    return tick?.atMs === tickMs ? tick : { atMs: tickMs, periodMs: Infinity };
  }

  #lookIn(delayMs: number): void {
    const { ttlMs } = this.job;
    this.#alarm.set(Math.min(delayMs, ttlMs), Math.min(APART_MS, ttlMs / 10));
  }
}

/**
 * The tick of the run that goes on, which may be older than the newest tick: a run may take longer than the period. A run that has died counts
 * only where this replica was there before: when the application starts, a later tick that is due takes its place.
 */
function watchedTickMs({ runs: [newest] }: JobRecord, isStart: boolean): number {
  const isWatched = newest?.outcome === 'running' || (newest?.outcome === 'died' && !isStart);
  return isWatched && newest.tickMs > 0 ? newest.tickMs : Infinity;
}

function isPassing(denial: Denial | undefined): boolean {
  return denial !== undefined && ['locked', 'undecided', 'unreachable'].includes(denial.reason);
}
