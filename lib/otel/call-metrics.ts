import type { Attributes, Counter, Histogram, Meter } from '@opentelemetry/api';
import type { RedlockEvent } from '../client/events.js';
import type { RedlockEvents } from '../redlock.events.js';
import { attributesOf, HAD_WORK, OUTCOME, REASON, TRIGGER } from './attributes.js';

/** Upper bounds of the buckets, in seconds: from a round trip in one data centre to the longest usual wait. */
const WAITING_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** Up to a job of hours. */
const HOLDING_BUCKETS = [0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600, 14_400];

/**
 * So many jobs of one method have series of their own. A key function may name a new job with each call, and each of its series would stay
 * in the memory of the SDK.
 */
const MOST_JOBS = 20;

type Described = Parameters<typeof attributesOf>[0];

/** Counts and measures the calls of an application, from its events. */
export class CallMetrics {
  readonly #waiting: Histogram;
  readonly #holding: Histogram;
  readonly #grants: Counter;
  readonly #contentions: Counter;
  readonly #losses: Counter;
  readonly #skips: Counter;
  readonly #runs: Counter;
  readonly #overdue: Counter;
  /** Those that have series of their own, by the names of their methods. */
  readonly #jobs = new Map<string, Set<string>>();

  constructor(meter: Meter) {
    this.#waiting = meter.createHistogram('redlock.wait.duration', {
      unit: 's',
      description: 'How long calls waited for a lock, by how that ended.',
      advice: { explicitBucketBoundaries: WAITING_BUCKETS },
    });
    this.#holding = meter.createHistogram('redlock.hold.duration', {
      unit: 's',
      description: 'How long locks were held, until they were released or lost.',
      advice: { explicitBucketBoundaries: HOLDING_BUCKETS },
    });
    const count = (name: string, unit: string, description: string): Counter =>
      meter.createCounter(name, { unit, description });
    this.#grants = count('redlock.grants', '{grant}', 'Locks that were granted to this process.');
    this.#contentions = count(
      'redlock.contentions',
      '{call}',
      'Calls that ended without a lock because of other holders.',
    );
    this.#losses = count('redlock.losses', '{lock}', 'Locks that could not be trusted any more while they were held.');
    this.#skips = count('redlock.skips', '{call}', 'Calls whose work did not run, because they did not get the lock.');
    this.#runs = count('redlock.job.runs', '{run}', 'Runs of jobs on this replica, without those that it skipped.');
    this.#overdue = count(
      'redlock.jobs.overdue',
      '{tick}',
      'Ticks of jobs that did not run in time, as this replica knows.',
    );
  }

  record(events: RedlockEvents): void {
    events.on('acquired', (event) => {
      this.#grants.add(1, this.#attributesOf(event));
      this.#recordWait(event, 'acquired');
    });
    events.on('contended', (event) => {
      this.#contentions.add(1, { ...this.#attributesOf(event), [REASON]: event.reason });
      this.#recordWait(event, 'contended');
    });
    events.on('unreachable', (event) => {
      this.#recordWait(event, 'unreachable');
    });
    events.on('released', (event) => {
      this.#recordHold(event, 'released');
    });
    events.on('lost', (event) => {
      this.#losses.add(1, { ...this.#attributesOf(event), [REASON]: event.reason, [HAD_WORK]: event.hadWork });
      this.#recordHold(event, 'lost');
    });
    events.on('skipped', (event) => {
      this.#skips.add(1, { ...this.#attributesOf(event), [REASON]: event.reason });
    });
    events.on('jobSucceeded', (event) => {
      this.#runs.add(1, this.#runOf(event, 'succeeded'));
    });
    events.on('jobFailed', (event) => {
      this.#runs.add(1, this.#runOf(event, event.outcome));
    });
    events.on('jobOverdue', (event) => {
      this.#overdue.add(1, { ...this.#attributesOf(event), [REASON]: event.reason });
    });
  }

  #recordWait(event: RedlockEvent<'acquired' | 'contended' | 'unreachable'>, outcome: string): void {
    this.#waiting.record(event.waitedMs / 1000, { ...this.#attributesOf(event), [OUTCOME]: outcome });
  }

  #recordHold(event: RedlockEvent<'released' | 'lost'>, outcome: string): void {
    this.#holding.record(event.heldMs / 1000, { ...this.#attributesOf(event), [OUTCOME]: outcome });
  }

  #runOf(event: RedlockEvent<'jobSucceeded' | 'jobFailed'>, outcome: string): Attributes {
    return { ...this.#attributesOf(event), [TRIGGER]: event.trigger, [OUTCOME]: outcome };
  }

  /** Without the job where its method has too many of them. */
  #attributesOf({ job, ...about }: Described): Attributes {
    return attributesOf(job === undefined || !this.#isCounted(job, about.method) ? about : { ...about, job });
  }

  #isCounted(job: string, method = ''): boolean {
    let jobs = this.#jobs.get(method);
    if (jobs === undefined) this.#jobs.set(method, (jobs = new Set()));
    if (jobs.size < MOST_JOBS) jobs.add(job);
    return jobs.has(job);
  }
}
