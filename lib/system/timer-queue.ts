import { AsyncResource } from 'node:async_hooks';
import type { Cancel } from '../core/ports/clock.js';

/** A longer delay overflows Node's timers, which then fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** As `setTimeout`: what a callback schedules without a delay does not come in the same turn. */
const SHORTEST_DELAY_MS = 1;

/** Timers run outside of the async context of the call that has happened to set the one timer of Node: it would be kept alive, and leak. */
const outside = new AsyncResource('RedlockTimers');

class Entry {
  constructor(
    readonly dueAtMs: number,
    readonly keepsAlive: boolean,
    public callback: (() => void) | undefined,
    /** Its place in the heap. */
    public index: number,
  ) {}
}

/**
 * Many timers on one of Node's. A lock sets several, and clears most of them before their time: here that costs a few steps in a heap.
 * The timer of Node keeps the process alive only while one of these is pending that does.
 *
 * It stays with the timers and the clock that were there when it was made: a test may fake them later.
 */
export class TimerQueue {
  readonly #setTimeout = globalThis.setTimeout;
  readonly #clearTimeout = globalThis.clearTimeout;
  readonly #now = performance.now.bind(performance);
  /** A binary heap: no entry is due before the one above it. */
  readonly #heap: Entry[] = [];
  #keepingAlive = 0;
  #timer: NodeJS.Timeout | undefined;
  #timerAtMs = Infinity;

  /** @param isForOne it is made for one timer: when that is cancelled, none of Node's stays behind */
  constructor(private readonly isForOne = false) {}

  after(delayMs: number, callback: () => void, keepsAlive: boolean): Cancel {
    // NaN, too, is below: an entry with that time would stop all others.
    const dueAtMs = this.#now() + (delayMs > SHORTEST_DELAY_MS ? delayMs : SHORTEST_DELAY_MS);
    const entry = new Entry(dueAtMs, keepsAlive, callback, this.#heap.length);
    this.#heap.push(entry);
    this.#rise(entry);
    if (dueAtMs < this.#timerAtMs) this.#setTimer(dueAtMs);
    if (keepsAlive && this.#keepingAlive++ === 0) this.#timer?.ref();
    return () => {
      if (entry.callback !== undefined) this.#remove(entry);
    };
  }

  #remove(entry: Entry): void {
    entry.callback = undefined;
    if (entry.keepsAlive && --this.#keepingAlive === 0) this.#timer?.unref();
    if (this.isForOne) this.#clearTimeout(this.#timer);
    const last = this.#heap.pop();
    if (last === undefined || last === entry) return;
    last.index = entry.index;
    this.#heap[last.index] = last;
    this.#rise(last);
    this.#sink(last);
  }

  /** A timer that is set for nothing any more stays: it costs less to let it fire than to set another. */
  #setTimer(dueAtMs: number): void {
    if (this.#timer !== undefined) this.#clearTimeout(this.#timer);
    const nowMs = this.#now();
    const delayMs = Math.min(LONGEST_TIMER_MS, Math.ceil(dueAtMs - nowMs));
    this.#timerAtMs = Math.min(dueAtMs, nowMs + delayMs);
    this.#timer = outside.runInAsyncScope(this.#setTimeout, undefined, this.#onTimer, delayMs);
    if (this.#keepingAlive === 0) this.#timer.unref();
  }

  readonly #onTimer = (): void => {
    // What it was set for is due, whatever the clock says: a timer of Node can be early by less than a millisecond.
    const nowMs = Math.max(this.#now(), this.#timerAtMs);
    this.#timer = undefined;
    this.#timerAtMs = Infinity;
    try {
      for (let [first] = this.#heap; first !== undefined && first.dueAtMs <= nowMs; [first] = this.#heap) {
        const { callback } = first;
        this.#remove(first);
        callback?.();
      }
    } finally {
      const [first] = this.#heap;
      if (first !== undefined && first.dueAtMs < this.#timerAtMs) this.#setTimer(first.dueAtMs);
    }
  };

  #rise(entry: Entry): void {
    const heap = this.#heap;
    while (entry.index > 0) {
      const above = heap[(entry.index - 1) >> 1];
      if (above === undefined || above.dueAtMs <= entry.dueAtMs) return;
      this.#swap(above, entry);
    }
  }

  #sink(entry: Entry): void {
    const heap = this.#heap;
    for (;;) {
      const left = heap[2 * entry.index + 1];
      const right = heap[2 * entry.index + 2];
      const below = right !== undefined && left !== undefined && right.dueAtMs < left.dueAtMs ? right : left;
      if (below === undefined || entry.dueAtMs <= below.dueAtMs) return;
      this.#swap(entry, below);
    }
  }

  #swap(one: Entry, other: Entry): void {
    const { index } = one;
    one.index = other.index;
    other.index = index;
    this.#heap[one.index] = one;
    this.#heap[other.index] = other;
  }
}
