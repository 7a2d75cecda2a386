import { closeSync, openSync, writeSync } from 'node:fs';
import type { HistoryEvent } from '../history/events.js';
import type { SharedClock } from './shared-clock.js';

/** Who gives no sign for so long stood still. What is shorter is within the tolerance of the checkers. */
export const STILL_MS = 50;

const SIGN_EVERY_MS = 10;

/** An event that is about to be written: now. */
export type NewEvent = WithoutTime<HistoryEvent>;
type WithoutTime<E> = E extends unknown ? Omit<E, 'atMs'> : never;

/**
 * The history of one process, as it happens: a line is with the kernel when `write` returns, so that a SIGKILL loses none.
 *
 * It also notices when its process stood still, because it was stopped or the machine had no time for it: nothing was
 * written, and no timer of its own fired. The last of these signs is kept in a file beside, for a process that does
 * not live to tell.
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

  /** For what is known later than it was so. */
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

/** Where the last sign of life of whoever wrote this is kept, as one double. */
export function pulseOf(file: string): string {
  return `${file}.pulse`;
}
