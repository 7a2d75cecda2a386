import type { LockClient } from '../client/lock-client.js';
import { Alarm } from './alarm.js';
import type { Job } from './job.js';
import { graceMs, overdueOf } from './overdue.js';
import type { JobRecord } from './register.js';

/** To find the tick takes a processor some milliseconds for each job, and nothing waits for it: not all jobs at once. */
const LOOK_WITHIN_MS = 10_000;

/** Says that a tick of a job has not run in time, once for each tick. */
export class OverdueReport {
  readonly #alarm: Alarm;
  #toldMs = -Infinity;
  /** Whether the tick before the start is still to be looked for. */
  #isToLook = true;

  constructor(
    private readonly job: Job,
    private readonly client: LockClient,
    private readonly willCatchUp: (tickMs: number) => boolean,
  ) {
    this.#alarm = new Alarm(job, client, () => this.#look());
  }

  /** Looks for the newest tick that was due when the application started, or the job was added, once its grace is over. */
  look(): void {
    if (this.#isToLook) this.#alarm.set(0, LOOK_WITHIN_MS);
  }

  /** A firing of the schedule has met no majority. */
  onUnreachable(tickMs: number): void {
    this.#tell('unreachable', tickMs);
  }

  stop(): void {
    this.#alarm.end();
  }

  async #look(): Promise<void> {
    const { place } = this.job;
    const tick = this.job.tickAt(this.job.sinceMs);
    if (place === undefined || tick === undefined) return;
    const leftMs = tick.atMs + graceMs(this.job, tick.periodMs) - this.client.shards.clock.wallMs();
    if (leftMs > 0) {
      this.#alarm.set(leftMs, 0);
      return;
    }
    let record: JobRecord;
    try {
      record = await this.client.jobs.read(place);
    } catch {
      return; // No majority of the servers: it is looked for when there is one.
    }
    this.#isToLook = false;
    // From now on the schedule is known: its ticks are missed where no replica is there.
    if (this.job.hasNewSchedule(record)) this.client.jobs.cover(place, Math.floor(this.job.sinceMs));
    const overdue = overdueOf(this.job, record, this.client.shards.clock.wallMs());
    if (overdue !== undefined && !this.willCatchUp(overdue.tickMs)) this.#tell('missed', overdue.tickMs);
  }

  #tell(reason: 'unreachable' | 'missed', tickMs: number): void {
    if (tickMs <= this.#toldMs) return;
    this.#toldMs = tickMs;
    const { job, client } = this;
    const about = { job: job.name, method: job.method.label, owner: client.settings.owner };
    const byMs = client.shards.clock.wallMs() - tickMs;
    client.events.emit('jobOverdue', { ...about, tick: new Date(tickMs), byMs, reason });
  }
}
