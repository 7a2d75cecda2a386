import { randomMs } from '../decorators/delays.js';
import type { LockClient } from '../client/lock-client.js';

/** One timer, which keeps no process alive. Setting it anew takes back what it was set for. */
export class Alarm {
  #cancel: (() => void) | undefined;
  #isOver = false;

  constructor(
    private readonly client: LockClient,
    private readonly onTime: () => Promise<void>,
  ) {}

  get isSet(): boolean {
    return this.#cancel !== undefined;
  }

  /** A random part comes on top, so that replicas do not all come at once. */
  set(delayMs: number, spreadMs: number): void {
    if (this.#isOver) return;
    this.#cancel?.();
    const ms = Math.max(0, delayMs) + randomMs(this.client, spreadMs);
    this.#cancel = this.client.shards.clock.after(
      ms,
      () => {
        this.#cancel = undefined;
        void this.onTime();
      },
      'background',
    );
  }

  /** For good. */
  end(): void {
    this.#isOver = true;
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
