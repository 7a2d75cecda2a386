import type { LockClient } from '../client/lock-client.js';
import { toMs } from '../client/options/check.js';
import type { Tick } from '../cron/tick.js';
import { spreadBoundMs } from '../decorators/delays.js';
import { Alarm } from './alarm.js';
import type { Attempts, Denial } from './attempts.js';
import type { Job } from './job.js';
import type { JobRecord } from './register.js';

/** So much younger than that, at most a quarter of the period, a tick is left to the timers of the replicas. */
const OWN_FIRING_MS = 1000;

/** After a vote that was split to the end, and after a majority that was missed though the servers are there. */
const RETRY_MS = 1000;

/** Not all jobs of all replicas at once. */
const LOOK_WITHIN_MS = 1000;

const ALREADY_RAN: Denial = { reason: 'already-ran', remainingMs: 0 };

/** Makes up for the newest tick of a job that no replica has run. All replicas try; the servers see to it that one run comes of it. */
export class CatchUp {
  readonly #alarm: Alarm;
  /** The tick of the schedule that has met no majority here. */
  #unreachedMs: number | undefined;

  constructor(
    private readonly job: Job,
    private readonly client: LockClient,
    private readonly attempts: Attempts,
    private readonly isQuorumLost: () => boolean,
  ) {
    this.#alarm = new Alarm(job, client, () => this.#try());
  }

  /** When the application has started, and when a majority of the servers is back. */
  look(): void {
    this.#alarm.set(0, LOOK_WITHIN_MS);
  }

  /** A firing of the schedule has met no majority. */
  onUnreachable(tickMs: number): void {
    this.#unreachedMs = tickMs;
    this.#tryLater();
  }

  /** Whether a tick of this instant is still made up for. */
  covers(tickMs: number): boolean {
    return this.client.shards.clock.wallMs() - tickMs <= toMs('catchUp', this.job.method.options.catchUp);
  }

  stop(): void {
    this.#alarm.end();
  }

  async #try(): Promise<void> {
    const tick = this.#newestTick();
    if (tick === undefined) return;
    const youngMs = tick.atMs + this.#ownFiringMs(tick) - this.client.shards.clock.wallMs();
    if (youngMs > 0) {
      this.#alarm.set(youngMs, 0);
      return;
    }
    const denial = (await this.#reasonNotTo(tick)) ?? (await this.attempts.run('catch-up', tick));
    switch (denial?.reason) {
      case 'locked':
        // By a run that goes on: its replicas note that it covers this tick. Or by a replica that has died.
        this.#alarm.set(Math.min(denial.remainingMs, this.job.ttlMs), RETRY_MS);
        return;
      case 'undecided':
        this.#alarm.set(0, RETRY_MS);
        return;
      case 'unreachable':
        this.#tryLater();
        return;
      default:
        this.job.settle(tick.atMs);
    }
  }

  #tryLater(): void {
    if (!this.isQuorumLost()) this.#alarm.set(RETRY_MS, RETRY_MS);
  }

  #newestTick(): Tick | undefined {
    const tick = this.job.tickAt(this.client.shards.clock.wallMs());
    return tick !== undefined && tick.atMs > this.job.settledMs && this.covers(tick.atMs) ? tick : undefined;
  }

  /** What the register says. The servers decide all the same: another replica may come first. */
  async #reasonNotTo({ atMs }: Tick): Promise<Denial | undefined> {
    const { place } = this.job;
    if (place === undefined) return ALREADY_RAN;
    let record: JobRecord;
    try {
      record = await this.client.jobs.read(place);
    } catch {
      return { reason: 'unreachable', remainingMs: 0 };
    }
    if (record.coveredMs >= atMs) return ALREADY_RAN;
    const isKnown = record.coveredMs > 0 && !this.job.hasNewSchedule(record);
    if (isKnown || atMs >= this.job.sinceMs || atMs === this.#unreachedMs) return undefined;
    // A job or a schedule that is new has missed nothing. From now on it is known.
    this.client.jobs.cover(place, atMs);
    return ALREADY_RAN;
  }

  #ownFiringMs({ periodMs }: Tick): number {
    return Math.min(OWN_FIRING_MS, periodMs / 4) + spreadBoundMs(this.job.method, periodMs);
  }
}
