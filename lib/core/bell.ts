import type { Cancel } from './ports/clock.js';
import type { Quorum } from './quorum.js';
import { majorityOf } from './vote.js';
import { unlessAborted } from './wait.js';

/** What a node has told on one channel, and whether it would. */
interface Line {
  hears: boolean;
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
        const line = { hears: false, rings: 0 };
        const cancel = courier.listen(channel, {
          onHearing: (hears) => {
            line.hears = hears;
            this.#onChange();
          },
          onReleased: () => {
            line.rings++;
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

  /** What has been told so far is not news any more. */
  reset(): void {
    for (const line of this.#lines.flat()) line.rings = 0;
  }

  /** Waits until it hears, but not longer than this. */
  async tune(timeoutMs: number, signal?: AbortSignal): Promise<boolean> {
    await this.#until(() => this.hears, timeoutMs, signal);
    return this.hears;
  }

  /**
   * Waits for a release since the last reset, but not longer than this, and not when it hears no more. Where too few servers
   * have told of it, it gives the others `graceMs`.
   */
  async ring(timeoutMs: number, graceMs: number, signal?: AbortSignal): Promise<void> {
    const rings = ({ rings }: Line): boolean => rings > 0;
    const told = (): boolean => this.#lines.some((lines) => lines.some(rings));
    await this.#until(() => !this.hears || told(), timeoutMs, signal);
    if (!told()) return;
    await this.#until(() => this.#lines.some((lines) => isMajority(lines, rings)), graceMs, signal);
  }

  close(): void {
    for (const cancel of this.#cancels.splice(0)) cancel();
  }

  async #until(condition: () => boolean, timeoutMs: number, signal: AbortSignal | undefined): Promise<void> {
    if (condition()) return;
    let cancel: Cancel = () => undefined;
    const over = new Promise<void>((resolve) => {
      cancel = this.quorum.clock.after(timeoutMs, resolve);
      this.#onChange = () => {
        if (condition()) resolve();
      };
    });
    await unlessAborted(over, signal).finally(() => {
      cancel();
      this.#onChange = () => undefined;
    });
  }
}

function isMajority(lines: readonly Line[], has: (line: Line) => boolean): boolean {
  return lines.filter(has).length >= majorityOf(lines.length);
}
