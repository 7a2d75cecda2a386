import type { Tick } from '../cron/tick.js';
import type { Job } from './job.js';
import { logFailure } from './log-failure.js';

/** Why a tick was not run by a call: the reason of the events, and for how much longer the lock is held. */
export interface Denial {
  readonly reason: string;
  readonly remainingMs: number;
}

/** The runs of a job that this package makes for a tick: one try each, which the servers decide. */
export class Attempts {
  readonly #denials = new Map<number, Denial | undefined>();

  constructor(private readonly job: Job) {}

  /** Whether a try of this tick goes on. */
  isTrying(tickMs: number): boolean {
    return this.#denials.has(tickMs);
  }

  /** Takes what an event says of a tick. Returns whether it is about one of these tries. */
  take(tickMs: number, denial: Denial): boolean {
    const isOurs = this.isTrying(tickMs);
    if (isOurs) this.#denials.set(tickMs, denial);
    return isOurs;
  }

  /** Never rejects. Returns why the tick was not run, or undefined when it was; the error of a run is logged, as the scheduler does it. */
  async run(trigger: 'catch-up' | 'again', tick: Tick): Promise<Denial | undefined> {
    const { job } = this;
    const { atMs } = tick;
    if (this.isTrying(atMs)) return { reason: 'locked', remainingMs: job.ttlMs };
    const own = { hasBegun: false };
    this.#denials.set(atMs, undefined);
    try {
      await job.run({ trigger, tick, onBegun: () => (own.hasBegun = true) });
    } catch (error) {
      if (this.#denials.get(atMs) === undefined || own.hasBegun) logFailure(job.method, error);
    }
    const denial = this.#denials.get(atMs);
    this.#denials.delete(atMs);
    if (own.hasBegun) {
      job.settle(atMs);
      return undefined;
    }
    return denial ?? { reason: 'not begun', remainingMs: 0 };
  }
}
