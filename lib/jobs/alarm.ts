import { randomMs } from '../decorators/delays.js';
import type { LockClient } from '../client/lock-client.js';
import type { Job } from './job.js';

/** The timer of a job may be started later, as `initialDelay` of a `@Cron` does it, and nothing tells of that. */
const LOOK_AGAIN_MS = 10_000;

/**
 * One timer, which keeps no process alive. Setting it anew takes back what it was set for. Where the scheduler does not fire the job when it is over, it waits until
 * the scheduler does.
 */
export class Alarm {
  #cancel: (() => void) | undefined;
  #isOver = false;

  constructor(
    private readonly job: Job,
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
        if (this.job.isScheduled) void this.onTime();
        else this.set(LOOK_AGAIN_MS, LOOK_AGAIN_MS);
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
