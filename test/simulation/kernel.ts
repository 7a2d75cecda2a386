import type { Cancel } from '../../lib/core/ports/clock.js';

interface Entry {
  readonly atMs: number;
  readonly order: number;
  /** Nothing in it belongs to a process, so no promise has anything to do about it. */
  readonly outside: boolean;
  run: (() => void) | undefined;
}

const settled = Promise.resolve();

/**
 * Virtual time. What is due at the same instant happens in the order in which it was asked for, and each with everything that
 * promises do about it before the next.
 */
export class Kernel {
  #nowMs = 0;
  #order = 0;
  readonly #heap: Entry[] = [];
  #turnEnds: (() => void)[] = [];
  /** How many steps were taken so far. */
  steps = 0;

  /** Called once, after this step, when promises have nothing more to do. */
  afterStep: (() => void) | undefined;

  nowMs(): number {
    return this.#nowMs;
  }

  at(atMs: number, run: () => void, outside = false): Cancel {
    const entry: Entry = { atMs: Math.max(atMs, this.#nowMs), order: this.#order++, outside, run };
    this.#push(entry);
    return () => {
      entry.run = undefined;
    };
  }

  after(delayMs: number, run: () => void): Cancel {
    return this.at(this.#nowMs + delayMs, run);
  }

  atEndOfTurn(run: () => void): void {
    this.#turnEnds.push(run);
  }

  /**
   * Lets time pass until this is so, at most up to an instant. Returns whether it is so: if not, there was nothing left to
   * happen, or too much.
   */
  run(isOver: () => boolean, untilMs: number): Promise<boolean> {
    return new Promise((resolve, reject) => {
      // A tick begins when all microtasks are done, also those that came of microtasks.
      const next = (): void =>
        void settled.then(() => {
          process.nextTick(step);
        });
      const step = (): void => {
        try {
          if (this.#turnEnds.length === 0) {
            const { afterStep } = this;
            this.afterStep = undefined;
            afterStep?.();
            let entry: Entry | undefined;
            do {
              if (isOver()) return resolve(true);
              entry = this.#next();
              if (entry === undefined || entry.atMs > untilMs) {
                if (untilMs < Infinity) this.#nowMs = untilMs;
                return resolve(false);
              }
              this.#pop();
              this.#nowMs = entry.atMs;
              this.steps++;
              entry.run?.();
            } while (entry.outside);
          } else {
            const ends = this.#turnEnds;
            this.#turnEnds = [];
            for (const end of ends) end();
          }
        } catch (error) {
          return reject(error instanceof Error ? error : new Error(String(error)));
        }
        next();
      };
      next();
    });
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(entry);
    while (index > 0) {
      const above = (index - 1) >> 1;
      if (!isBefore(entry, heap[above]!)) break;
      heap[index] = heap[above]!;
      index = above;
    }
    heap[index] = entry;
  }

  /** What was cancelled stays where it is until its time has come. */
  #next(): Entry | undefined {
    while (this.#heap[0] !== undefined && this.#heap[0].run === undefined) this.#pop();
    return this.#heap[0];
  }

  #pop(): void {
    const last = this.#heap.pop();
    if (last !== undefined && this.#heap.length > 0) this.#sink(last);
  }

  #sink(entry: Entry): void {
    const heap = this.#heap;
    const { length } = heap;
    let index = 0;
    for (let below = 1; below < length; below = 2 * index + 1) {
      if (below + 1 < length && isBefore(heap[below + 1]!, heap[below]!)) below++;
      if (!isBefore(heap[below]!, entry)) break;
      heap[index] = heap[below]!;
      index = below;
    }
    heap[index] = entry;
  }
}

function isBefore(one: Entry, other: Entry): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);
}
