import type { Cancellation } from './cancellation.js';
import type { Cancel } from './ports/clock.js';
import type { Quorum } from './quorum.js';
import { majorityOf } from './vote.js';
import { untilOver } from './wait.js';

/** What a node has told on one channel, and whether it would. */
interface Line {
  hears: boolean;
  /** Since the last reset: whether it has told of a release, and how many others it has told. */
  rang: boolean;
  told: number;
  /** How many releases it has told of, all in all. */
  rings: number;
}

/**
 * Rings when somebody else gives the lock back, so that a waiter need not ask (P14).
 *
 * A release reaches a majority of the servers, if it reaches enough of them to matter, and so does one who listens to a
 * majority: they share a server. So one message is enough to know of it; but it is better to ask when a majority of
 * the servers has let go.
 */
export class Bell {
  readonly #lines: readonly Line[][];
  readonly #cancels: Cancel[] = [];
  #onChange: () => void = () => undefined;

  constructor(
    private readonly quorum: Pick<Quorum, 'couriers' | 'clock'>,
    channels: readonly string[],
  ) {
    this.#lines = channels.map((channel) =>
      quorum.couriers.map((courier) => {
        const line: Line = { hears: false, rang: false, told: 0, rings: 0 };
        const cancel = courier.listen(channel, {
          onHearing: (hears) => {
            line.hears = hears;
            this.#onChange();
          },
          onReleased: (told) => {
            Object.assign(line, { rang: true, told, rings: line.rings + 1 });
            this.#onChange();
          },
        });
        this.#cancels.push(cancel);
        return line;
      }),
    );
  }

  /** Whether no release can be missed. */
  get hears(): boolean {
    return this.#lines.every((lines) => isMajority(lines, ({ hears }) => hears));
  }

  /** How many releases it has been told of. */
  get rings(): number {
    return this.#most(({ rings }) => rings);
  }

  /** What has been told so far is not news any more. */
  reset(): void {
    for (const line of this.#lines.flat()) Object.assign(line, { rang: false, told: 0 });
  }

  /** Waits until it hears, but not longer than this. */
  async tune(timeoutMs: number, cancellation?: Cancellation): Promise<boolean> {
    await this.#until(() => this.hears, timeoutMs, cancellation);
    return this.hears;
  }

  /**
   * Waits for a release since the last reset, but not longer than this, and not when it hears no more. Where too few servers
   * have told of it, it gives the others `graceMs` of that time. Says how many were told, and 0 where nothing was.
   */
  async ring(timeoutMs: number, graceMs: number, cancellation?: Cancellation): Promise<number> {
    const { clock } = this.quorum;
    const endAtMs = clock.nowMs() + timeoutMs;
    const rang = ({ rang }: Line): boolean => rang;
    const somewhere = (): boolean => this.#lines.some((lines) => lines.some(rang));
    await this.#until(() => !this.hears || somewhere(), timeoutMs, cancellation);
    if (!somewhere()) return 0;
    await this.#until(
      () => this.#lines.some((lines) => isMajority(lines, rang)),
      Math.min(graceMs, endAtMs - clock.nowMs()),
      cancellation,
    );
    return Math.max(
      1,
      this.#most(({ told }) => told),
    );
  }

  #most(numberOf: (line: Line) => number): number {
    let most = 0;
    for (const lines of this.#lines) for (const line of lines) most = Math.max(most, numberOf(line));
    return most;
  }

  close(): void {
    for (const cancel of this.#cancels.splice(0)) cancel();
  }

  async #until(condition: () => boolean, timeoutMs: number, cancellation: Cancellation | undefined): Promise<void> {
    if (condition()) return;
    const over = untilOver<true>(this.quorum.clock, timeoutMs, cancellation, (resolve) => {
      this.#onChange = () => {
        if (condition()) resolve(true);
      };
    });
    await over.finally(() => {
      this.#onChange = () => undefined;
    });
  }
}

function isMajority(lines: readonly Line[], has: (line: Line) => boolean): boolean {
  return lines.filter(has).length >= majorityOf(lines.length);
}
