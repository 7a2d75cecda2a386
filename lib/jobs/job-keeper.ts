import type { LockClient } from '../client/lock-client.js';
import { Attempts, type Denial } from './attempts.js';
import { CatchUp } from './catch-up.js';
import { CrashWatch } from './crash-watch.js';
import type { Job } from './job.js';
import { OverdueReport } from './overdue-report.js';

/** Watches over the ticks of one job on this replica: those that were missed, and those whose replica has died. */
export class JobKeeper {
  readonly #attempts: Attempts;
  readonly #catchUp: CatchUp | undefined;
  readonly #crashes: CrashWatch | undefined;
  readonly #overdue: OverdueReport;

  constructor(
    readonly job: Job,
    private readonly client: LockClient,
    isQuorumLost: () => boolean,
  ) {
    const { catchUp, onCrash } = job.method.options;
    this.#attempts = new Attempts(job);
    if (catchUp !== undefined) this.#catchUp = new CatchUp(job, client, this.#attempts, isQuorumLost);
    if (onCrash === 'again') this.#crashes = new CrashWatch(job, client, this.#attempts);
    this.#overdue = new OverdueReport(job, client, (tickMs) => this.#catchUp?.covers(tickMs) === true);
  }

  /** Whether it is to hear of calls that other holders kept from the lock. */
  get needsDenials(): boolean {
    return this.#catchUp !== undefined || this.#crashes !== undefined;
  }

  start(): void {
    this.#catchUp?.look();
    this.#crashes?.start();
    this.#overdue.look();
  }

  onQuorumRegained(): void {
    this.#catchUp?.look();
    this.#overdue.look();
  }

  /** A firing of the schedule runs this tick, or has skipped it because it runs elsewhere or needs no run. What is tried here says itself what came of it. */
  onSettled(tickMs: number, hasRun: boolean): void {
    if (!this.#attempts.isTrying(tickMs)) this.job.settle(tickMs, hasRun);
  }

  /** A call has not run this tick: one of the scheduler, or one that is made here. */
  onDenied(tickMs: number, denial: Denial): void {
    if (this.#attempts.take(tickMs, denial)) return;
    switch (denial.reason) {
      case 'paused':
        return; // The servers have noted that the pause covers the tick.
      case 'unreachable':
        this.#overdue.onUnreachable(tickMs);
        this.#catchUp?.onUnreachable(tickMs);
        this.#crashes?.watch(tickMs);
        return;
      case 'locked':
        if (this.#catchUp !== undefined) this.#cover(tickMs);
        this.#crashes?.watch(tickMs, denial.remainingMs);
        return;
      default:
        this.#crashes?.watch(tickMs);
    }
  }

  stop(): void {
    this.#catchUp?.stop();
    this.#crashes?.stop();
    this.#overdue.stop();
  }

  #cover(tickMs: number): void {
    const { place } = this.job;
    if (place !== undefined) this.client.jobs.cover(place, tickMs);
  }
}
