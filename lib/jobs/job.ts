import { toMs } from '../client/options/check.js';
import type { CronTimeLike } from '../cron/cron-time.js';
import { ticksOf, type Tick } from '../cron/tick.js';
import { nameOfJob, ttlOf } from '../decorators/call-options.js';
import { keyOf } from '../decorators/checks.js';
import { newMoment, type AskedFiring, type Firing } from '../decorators/firing.js';
import { expectKeys, keyChanges, notedKeys } from '../decorators/job-places.js';
import type { LockedMethod } from '../decorators/locked-method.js';
import type { CronJobLike } from '../decorators/scheduler.js';
import type { Trigger } from '../decorators/trigger.js';
import type { RedlockService } from '../redlock.service.js';
import type { JobPlace, JobRecord } from './register.js';

/** What a run is made for, other than by a timer of the scheduler. */
export type Asked = Pick<AskedFiring, 'trigger' | 'tick' | 'onBegun'>;

/** How a timer may fire ahead of its time, see `cron/tick.ts`: a tick that has just been is looked for before that. */
const EARLY_MS = 20;

/** A scheduled method of one host, with its lock. */
export class Job {
  /** Its timer on this replica, once there is one. */
  cron: CronJobLike | undefined;
  #schedule: { readonly cronTime?: CronTimeLike; readonly sinceMs: number } = { sinceMs: Infinity };
  #settledMs = -Infinity;
  #ranMs = -Infinity;

  constructor(
    readonly host: object,
    readonly method: LockedMethod,
    readonly trigger: Trigger,
    readonly service: RedlockService,
    private readonly call: (firing: Firing) => unknown,
  ) {}

  /** The scheduler has made its timer. */
  mount(cron: CronJobLike | undefined): void {
    this.cron = cron;
    this.#seeSchedule();
  }

  /** By which it is found. Before a key function has given a key it is the method. */
  get name(): string {
    const { method, place } = this;
    return method.options.job ?? (place === undefined ? method.label : nameOfJob(method, place.keys));
  }

  /** Unknown while a key function has not given a key. */
  get place(): JobPlace | undefined {
    const { key, propertyKey, options } = this.method;
    const keys = typeof key === 'function' ? notedKeys(this.host, propertyKey) : [key].flat();
    return keys && { name: options.job, keys };
  }

  /** Whether its key function gives another key from time to time: then the servers keep a register for each key, and no pause holds for all. */
  get keyChanges(): boolean {
    return keyChanges(this.host, this.method.propertyKey);
  }

  /** What the key function gives without arguments; undefined where that is no key. */
  askForKey(): string | string[] | undefined {
    const { key, propertyKey } = this.method;
    try {
      const known = typeof key === 'function' ? keyOf(this.method, this.host, []) : key;
      expectKeys(this.host, propertyKey, known);
      return known;
    } catch {
      // It needs arguments, or what the host does not have yet. The key is looked at when the job runs.
      return undefined;
    }
  }

  get ttlMs(): number {
    return toMs('ttl', ttlOf(this.service, this.method));
  }

  /** Whether its schedule has ticks, each of which runs once. */
  get hasTicks(): boolean {
    return this.trigger.kind === 'cron' && this.method.options.perTick !== false;
  }

  /** Whether the scheduler fires it. A job with one date has no timer any more when that has passed. */
  get isScheduled(): boolean {
    const { cron } = this;
    return cron !== undefined && (cron.cronTime.realDate === true || (cron.isActive ?? cron.running ?? true));
  }

  /** Since when this replica has seen that the job has its present schedule, in epoch ms: `setTime` gives a `CronJob` another one. */
  get sinceMs(): number {
    this.#seeSchedule();
    return this.#schedule.sinceMs;
  }

  /**
   * Whether the newest tick that has run is none of the present schedule, and nothing was noted since. Then the ticks of before `sinceMs` are not known to have
   * been any. A job with one date is made anew for each.
   */
  hasNewSchedule({ runs, coveredMs }: Pick<JobRecord, 'runs' | 'coveredMs'>): boolean {
    if (this.cron?.cronTime.realDate === true) return false;
    const newest = runs.find(({ tickMs }) => tickMs > 0);
    return newest !== undefined && coveredMs <= newest.tickMs && !this.#isTick(newest.tickMs);
  }

  /** The newest tick of which this replica has seen that it has run, runs elsewhere or needs no run: servers may lose what they know of it. In epoch ms. */
  get settledMs(): number {
    return this.#settledMs;
  }

  /** The newest tick of which this replica has seen that it has run, or needs no run; -Infinity where it has seen none. In epoch ms. */
  get ranMs(): number {
    return this.#ranMs;
  }

  /** @param hasRun false: another holder has the lock, most likely a run of this job */
  settle(tickMs: number, hasRun = true): void {
    this.#settledMs = Math.max(this.#settledMs, tickMs);
    if (hasRun) this.#ranMs = Math.max(this.#ranMs, tickMs);
  }

  /** The newest tick that is not after this instant of the wall clock. */
  tickAt(nowMs: number): Tick | undefined {
    if (!this.hasTicks || this.cron === undefined || !this.isScheduled) return undefined;
    const tick = calendarTick(this.cron, nowMs);
    return tick !== undefined && tick.atMs <= nowMs ? tick : undefined;
  }

  /** When its timer fires next. */
  nextAt(nowMs: number): Date | undefined {
    if (this.cron === undefined || !this.isScheduled) return undefined;
    const tick = calendarTick(this.cron, nowMs);
    if (tick === undefined) return undefined;
    const nextMs = tick.atMs > nowMs ? tick.atMs : tick.atMs + tick.periodMs;
    return Number.isFinite(nextMs) ? new Date(nextMs) : undefined;
  }

  async run({ trigger, tick, onBegun }: Asked): Promise<unknown> {
    return await this.call({ ...newMoment(), kind: 'asked', of: this.trigger, trigger, tick, onBegun });
  }

  #isTick(atMs: number): boolean {
    return this.tickAt(atMs + EARLY_MS)?.atMs === atMs;
  }

  #seeSchedule(): void {
    const cronTime = this.cron?.cronTime;
    if (cronTime === undefined || cronTime === this.#schedule.cronTime) return;
    this.#schedule = { cronTime, sinceMs: Date.now() };
  }
}

/** The newest tick; the only one of a job with one date, also before that. Mostly it is known from the last time. */
function calendarTick({ cronTime }: CronJobLike, nowMs: number): Tick | undefined {
  try {
    return ticksOf(cronTime)(nowMs - EARLY_MS);
  } catch {
    return undefined; // Its expression has no tick before.
  }
}
