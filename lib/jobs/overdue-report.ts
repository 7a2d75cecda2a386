import type { LockClient } from '../client/lock-client.js';
import { Alarm } from './alarm.js';
import type { Job } from './job.js';
import { graceMs, overdueOf } from './overdue.js';
import type { JobRecord } from './register.js';

/** Says that a tick of a job has not run in time, once for each tick. */
export class OverdueReport {
  readonly #alarm: Alarm;
  readonly #startedAtMs: number;
  #toldMs = -Infinity;
  /** Whether the tick before the start is still to be looked for. */
  #isToLook = true;

  constructor(
    private readonly job: Job,
    private readonly client: LockClient,
    private readonly willCatchUp: (tickMs: number) => boolean,
  ) {
    this.#startedAtMs = client.shards.clock.wallMs();
    this.#alarm = new Alarm(client, () => this.#look());
  }

  /** Looks for the newest tick that was due when the application started, once its grace is over. */
  look(): void {
    const tick = this.#isToLook ? this.job.tickAt(this.#startedAtMs) : undefined;
    if (tick === undefined) return;
    this.#alarm.set(tick.atMs + graceMs(this.job, tick.periodMs) - this.client.shards.clock.wallMs(), 0);
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
    if (place === undefined) return;
    let record: JobRecord;
    try {
      record = await this.client.jobs.read(place);
    } catch {
      return; // No majority of the servers: it is looked for when there is one.
    }
    this.#isToLook = false;
    const overdue = overdueOf(this.job, record, this.client.shards.clock.wallMs(), this.#startedAtMs);
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
