import type { Cancel, Clock } from '../../lib/core/ports/clock.js';
import type { Chance } from './chance.js';
import type { Kernel } from './kernel.js';
import { EPOCH_MS } from './model-server.js';

/** Node has none that is shorter. */
const SHORTEST_TIMER_MS = 1;

/** A timer that is earlier than its time by less than this is in time: fractions are rounded. */
const ROUNDING_MS = 1e-6;

/** How a process keeps time. */
export interface Timekeeping {
  /** Where its monotonic clock began. */
  readonly originMs: number;
  /** How much faster than true time it runs. */
  readonly rate: number;
  /** A timer is late by up to this much. */
  readonly lateMs: number;
}

/**
 * The event loop of one process. While it is paused nothing of it runs; when it goes on, the timers that are due come first and
 * what has arrived comes after them, as in Node. While its machine is suspended its monotonic clock stands still as well, and with
 * it every timer; the time of day goes on. A dead process never does anything again.
 */
export class Machine implements Clock {
  #state: 'running' | 'paused' | 'dead' = 'running';
  #overdue: (() => void)[] = [];
  #unread: (() => void)[] = [];
  #originMs: number;
  /** Since when, in true time, the machine has been suspended. */
  #suspendedAtMs: number | undefined;

  /** Called after each step in which this process may have done something. */
  onStep: () => void = () => undefined;

  constructor(
    readonly name: string,
    private readonly kernel: Kernel,
    private readonly timekeeping: Timekeeping,
    private readonly chance: Chance,
  ) {
    this.#originMs = timekeeping.originMs;
  }

  get state(): 'running' | 'paused' | 'dead' {
    return this.#state;
  }

  nowMs(): number {
    return this.#originMs + this.timekeeping.rate * (this.#suspendedAtMs ?? this.kernel.nowMs());
  }

  /** The time of day: right, and the same for all processes. */
  wallMs(): number {
    return EPOCH_MS + this.kernel.nowMs();
  }

  /** The true instant of one of this clock. */
  toTrueMs(ownMs: number): number {
    return (ownMs - this.#originMs) / this.timekeeping.rate;
  }

  /** How long a stretch of true time takes on this clock. */
  toOwnMs(trueMs: number): number {
    return trueMs * this.timekeeping.rate;
  }

  after(delayMs: number, callback: () => void): Cancel {
    const { rate, lateMs } = this.timekeeping;
    const dueAtMs = this.nowMs() + Math.max(SHORTEST_TIMER_MS, delayMs);
    const late = lateMs > 0 ? lateMs * this.chance.next() : 0;
    let cancelled = false;
    let cancel: Cancel = () => undefined;
    const arm = (leftMs: number): void => {
      cancel = this.kernel.after(leftMs, () => {
        this.#take(run, this.#overdue);
      });
    };
    const run = (): void => {
      if (cancelled) return;
      // A suspension has moved its time further away.
      if (dueAtMs - this.nowMs() > ROUNDING_MS) arm((dueAtMs - this.nowMs()) / rate);
      else callback();
    };
    arm(Math.max(SHORTEST_TIMER_MS, delayMs) / rate + late);
    return () => {
      cancelled = true;
      cancel();
    };
  }

  /** Whatever has arrived is ahead in the line of this instant. */
  afterInput(callback: () => void): void {
    this.kernel.after(0, () => {
      this.#take(callback, this.#unread);
    });
  }

  atEndOfTurn(callback: () => void): void {
    this.kernel.atEndOfTurn(callback);
  }

  /** Something has come over the network. */
  receive(read: () => void): void {
    this.#take(read, this.#unread);
  }

  pause(): void {
    if (this.#state === 'running') this.#state = 'paused';
  }

  /** The machine is suspended: a pause that the monotonic clock does not count. */
  suspend(): void {
    if (this.#state !== 'running') return;
    this.#suspendedAtMs = this.kernel.nowMs();
    this.#state = 'paused';
  }

  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'running';
    this.#originMs -= this.timekeeping.rate * (this.kernel.nowMs() - (this.#suspendedAtMs ?? this.kernel.nowMs()));
    this.#suspendedAtMs = undefined;
    const [timers, input] = [this.#overdue, this.#unread];
    this.#overdue = [];
    this.#unread = [];
    for (const run of timers) this.kernel.after(0, () => this.#take(run, this.#overdue));
    for (const read of input) this.kernel.after(0, () => this.#take(read, this.#unread));
  }

  kill(): void {
    this.#state = 'dead';
    this.#overdue = [];
    this.#unread = [];
  }

  #take(run: () => void, later: (() => void)[]): void {
    if (this.#state === 'running') {
      run();
      this.kernel.afterStep = this.onStep;
    } else if (this.#state === 'paused') later.push(run);
  }
}
