import { setTimeout as pass } from 'node:timers/promises';
import type { JobRecord } from '../../../lib/client/jobs/job-record.js';
import type { LockClient } from '../../../lib/client/lock-client.js';
import { calledBy } from '../../../lib/client/options/acquire-options.js';
import type { RunTrigger, TickOfRun } from '../../history/events.js';
import { Random } from '../plan/random.js';
import { work } from './jobs.js';
import { codeOf, type Recorder } from './recorder.js';
import { NODE_TIMEOUT_MS, STEERED } from './replica.interface.js';

const OPS = { pause: 2, read: 6, manual: 3, catchUp: 5, again: 4 } as const;

/** A quarter of the period: so long a tick is tried where no majority of the servers can be reached. */
const TICK_TRIES_MS = STEERED.periodMs / 4;

/** What a replica does with a job beside firing its ticks. Pauses are short, so that most of the ticks run. */
export class JobSteering {
  readonly #random: Random;
  #over = false;
  #line: Promise<void> = Promise.resolve();

  constructor(
    private readonly client: LockClient,
    private readonly recorder: Recorder,
    seed: number,
  ) {
    this.#random = new Random(seed + 1);
  }

  start(): void {
    this.#line = this.#run();
  }

  async stop(): Promise<void> {
    this.#over = true;
    await this.#line;
  }

  async #run(): Promise<void> {
    // As a replica that has just started.
    await this.#catchUp();
    for (;;) {
      await pass(this.#random.gapMs(400));
      if (this.#over) return;
      await this.#next();
    }
  }

  #next(): Promise<unknown> {
    const op = this.#random.pick(OPS);
    switch (op) {
      case 'pause':
        return this.#pause();
      case 'read':
        return this.#read();
      case 'manual':
        return this.#runOnce('manual', undefined);
      case 'catchUp':
        return this.#catchUp();
      case 'again':
        return this.#again();
      default:
        return op satisfies never;
    }
  }

  async #pause(): Promise<void> {
    const forMs = this.#random.chance(0.4) ? Math.round(this.#random.between(100, 1500)) : undefined;
    await this.#steer('pause', forMs);
    await pass(this.#random.between(50, 1500));
    if (forMs === undefined) await this.#steer('resume');
  }

  async #steer(what: 'pause' | 'resume', forMs?: number): Promise<void> {
    const { writer, client } = this.recorder;
    const call = this.recorder.nextCall();
    const about = { client, call, job: STEERED.key, what, nodeTimeoutMs: NODE_TIMEOUT_MS };
    // It reads first, and then covers what fell into the pause.
    const covers = what === 'resume' && { tickAtMs: Date.now() + NODE_TIMEOUT_MS };
    writer.write({ kind: 'steering', ...about, ...(forMs !== undefined && { forMs }), ...covers });
    const { jobs } = this.client;
    const place = { keys: STEERED.key };
    const code = await (what === 'resume' ? jobs.resume(place) : jobs.pause(place, { forMs: forMs ?? Infinity })).then(
      () => ({}),
      (error: unknown) => ({ code: codeOf(error) }),
    );
    writer.write({ kind: 'steered', call, ...code });
  }

  async #read(): Promise<JobRecord | undefined> {
    const { writer, client } = this.recorder;
    const call = this.recorder.nextCall();
    writer.write({ kind: 'reading', client, call, job: STEERED.key, nodeTimeoutMs: NODE_TIMEOUT_MS });
    try {
      const record = await this.client.jobs.read({ keys: STEERED.key });
      const { pausedLeftMs: leftMs, coveredMs } = record;
      const runs = record.runs.map(({ token, owner, trigger, tickMs, outcome }) => ({
        ...{ token, owner, trigger, tickMs, outcome },
      }));
      const seen = { pausedLeftMs: leftMs === Infinity ? null : leftMs, coveredMs, runs };
      writer.write({ kind: 'readSettled', call, record: seen });
      return record;
    } catch (error) {
      writer.write({ kind: 'readSettled', call, code: codeOf(error) });
      return undefined;
    }
  }

  /** Where no replica has run the newest tick; some do not look first. */
  async #catchUp(): Promise<void> {
    const tick = this.#tick(this.#random.chance(0.25) ? 1 : 0);
    const record = this.#random.chance(0.3) ? undefined : await this.#read();
    if (record === undefined || record.coveredMs < tick.atMs) await this.#runOnce('catch-up', tick);
  }

  /** The newest tick whose run has died, or, without a look, one of the last. */
  async #again(): Promise<void> {
    if (this.#random.chance(0.1)) return await this.#runOnce('again', this.#tick(this.#random.below(3)));
    const record = await this.#read();
    const died = record?.runs.find(({ outcome, tickMs }) => outcome === 'died' && tickMs > 0);
    if (died !== undefined) await this.#runOnce('again', { atMs: died.tickMs, periodMs: STEERED.periodMs });
  }

  async #runOnce(trigger: RunTrigger, tick: TickOfRun | undefined): Promise<void> {
    const { key, ttlMs, takesMs } = STEERED;
    const about = { keys: [key], ttlMs, nodeTimeoutMs: NODE_TIMEOUT_MS, job: key, trigger, ...(tick && { tick }) };
    const log = this.recorder.ask({ ...about, waitMs: tick === undefined ? 0 : TICK_TRIES_MS });
    const options = calledBy({ method: 'Jobs.tick', job: key, trigger }, { wait: 0, ...(tick && { tick }) });
    // Some take so long that the replica may be killed in the middle.
    const longMs = this.#random.chance(0.3) ? this.#random.between(50, 600) : takesMs;
    try {
      await this.client.withLock(key, ttlMs, (lock) => work(lock, log, longMs), options);
    } catch (error) {
      log.refuse(error);
    }
    log.finish();
  }

  /** By the clock of this replica, so many before the newest one. */
  #tick(before: number): TickOfRun {
    const { periodMs } = STEERED;
    return { atMs: (Math.floor(Date.now() / periodMs) - before) * periodMs, periodMs };
  }
}
