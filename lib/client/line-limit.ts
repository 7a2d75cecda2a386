import type { Clock } from '../core/ports/clock.js';

const WINDOW_MS = 60_000;

/** Two outages with all that belongs to them. */
const LINES = 6;

/** Keeps a server that changes all the time from filling the log: a few lines a minute, and how many were left out. */
export class LineLimit {
  #windowEndsAtMs = -Infinity;
  #written = 0;
  #omitted = 0;

  constructor(
    private readonly clock: Clock,
    /** Called at the end of a minute in which lines were left out. */
    private readonly onReopen: () => void,
  ) {}

  /** What to add to this line, or undefined where it must not be written. */
  next(): string | undefined {
    const nowMs = this.clock.nowMs();
    if (nowMs >= this.#windowEndsAtMs) {
      this.#windowEndsAtMs = nowMs + WINDOW_MS;
      this.#written = 0;
    }
    if (this.#written >= LINES) {
      if (this.#omitted++ === 0) this.clock.after(this.#windowEndsAtMs - nowMs, this.onReopen, 'background');
      return undefined;
    }
    this.#written++;
    const omitted = this.#omitted;
    this.#omitted = 0;
    return omitted === 0 ? '' : ` (${omitted} more lines about it were left out)`;
  }
}
