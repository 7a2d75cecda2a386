import { closeSync, openSync, writeSync } from 'node:fs';
import type { HistoryEvent } from '../history/events.js';
import type { SharedClock } from './shared-clock.js';

/** A process without a sign of life for so long was paused. A shorter pause is within the tolerance of the checkers. */
export const STILL_MS = 50;

const SIGN_EVERY_MS = 10;

/** An event that is about to be written, with the time of the call. */
export type NewEvent = WithoutTime<HistoryEvent>;
type WithoutTime<E> = E extends unknown ? Omit<E, 'atMs'> : never;

/**
 * Writes the history of one process. The kernel has the line when `write` returns, so a SIGKILL loses none.
 *
 * The writer also notices when its process was paused, because it was stopped or the machine was too busy: no event was
 * written, and no timer of the writer fired. It keeps the time of the last sign of life in a second file, so that this time is
 * known after the process is killed.
 */
export class HistoryWriter {
  readonly #lines: number;
  readonly #pulse: number;
  readonly #timer: NodeJS.Timeout;
  #signAtMs: number;

  constructor(
    readonly file: string,
    private readonly sharedClock: SharedClock,
    private readonly onStill: (fromMs: number, toMs: number) => void,
    private readonly stillMs = STILL_MS,
  ) {
    this.#lines = openSync(file, 'a');
    this.#pulse = openSync(pulseOf(file), 'w');
    this.#signAtMs = sharedClock.nowMs();
    this.#timer = setInterval(() => {
      this.sign();
    }, SIGN_EVERY_MS).unref();
  }

  write(event: NewEvent): void {
    this.sign();
    this.at(this.#signAtMs, event);
  }

  /** For an event that is known later than it happened. */
  at(atMs: number, event: NewEvent): void {
    writeSync(this.#lines, `${JSON.stringify({ atMs, ...event })}\n`);
  }

  /** When the last sign of life was given. */
  get signAtMs(): number {
    return this.#signAtMs;
  }

  sign(): void {
    const [fromMs, toMs] = [this.#signAtMs, this.sharedClock.nowMs()];
    this.#signAtMs = toMs;
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleLE(toMs);
    writeSync(this.#pulse, bytes, 0, 8, 0);
    if (toMs - fromMs > this.stillMs) this.onStill(fromMs, toMs);
  }

  close(): void {
    clearInterval(this.#timer);
    closeSync(this.#lines);
    closeSync(this.#pulse);
  }
}

/** The file with the last sign of life of the process that writes this history, as one double. */
export function pulseOf(file: string): string {
  return `${file}.pulse`;
}
