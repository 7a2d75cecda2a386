import type { Cancellation } from './cancellation.js';
import type { Cancel } from './ports/clock.js';
import type { Quorum } from './quorum.js';
import { majorityOf } from './vote.js';
import { untilOver } from './wait.js';

/** What a node has told on one channel, and whether it would. */
interface Subscription {
  isSubscribed: boolean;
  /** Since the last reset: whether it has told of a release, and how many others it has told. */
  rang: boolean;
  told: number;
  /** How many releases it has told of, all in all. */
  seen: number;
}

/**
 * Rings when somebody else gives the lock back, so that a waiter need not ask (P14).
 *
 * A release reaches a majority of the servers, if it reaches enough of them to matter, and so does one who listens to a
 * majority: they share a server. So one message is enough to know of it; but it is better to ask when a majority of
 * the servers has let go.
 */
export class ReleaseNotifications {
  readonly #subscriptions: readonly Subscription[][];
  readonly #cancels: Cancel[] = [];
  #onChange: () => void = () => undefined;

  constructor(
    private readonly quorum: Pick<Quorum, 'queues' | 'clock'>,
    channels: readonly string[],
  ) {
    this.#subscriptions = channels.map((channel) =>
      quorum.queues.map((queue) => {
        const subscription: Subscription = { isSubscribed: false, rang: false, told: 0, seen: 0 };
        const cancel = queue.listen(channel, {
          onHearing: (isSubscribed) => {
            subscription.isSubscribed = isSubscribed;
            this.#onChange();
          },
          onReleased: (told) => {
            Object.assign(subscription, { rang: true, told, seen: subscription.seen + 1 });
            this.#onChange();
          },
        });
        this.#cancels.push(cancel);
        return subscription;
      }),
    );
  }

  /** Whether no release can be missed. */
  get isSubscribed(): boolean {
    return this.#subscriptions.every((subscriptions) => isMajority(subscriptions, ({ isSubscribed }) => isSubscribed));
  }

  /** How many releases it has been told of. */
  get seenCount(): number {
    return this.#most(({ seen }) => seen);
  }

  /** What has been told so far is not news any more. */
  reset(): void {
    for (const subscription of this.#subscriptions.flat()) Object.assign(subscription, { rang: false, told: 0 });
  }

  /** Waits until it isSubscribed, but not longer than this. */
  async waitUntilSubscribed(timeoutMs: number, cancellation?: Cancellation): Promise<boolean> {
    await this.#until(() => this.isSubscribed, timeoutMs, cancellation);
    return this.isSubscribed;
  }

  /**
   * Waits for a release since the last reset, but not longer than this, and not when it isSubscribed no more. Where too few servers
   * have told of it, it gives the others `graceMs` of that time. Says how many were told, and 0 where nothing was.
   */
  async waitForRelease(timeoutMs: number, graceMs: number, cancellation?: Cancellation): Promise<number> {
    const { clock } = this.quorum;
    const endAtMs = clock.nowMs() + timeoutMs;
    const rang = ({ rang }: Subscription): boolean => rang;
    const somewhere = (): boolean => this.#subscriptions.some((subscriptions) => subscriptions.some(rang));
    await this.#until(() => !this.isSubscribed || somewhere(), timeoutMs, cancellation);
    if (!somewhere()) return 0;
    await this.#until(
      () => this.#subscriptions.some((subscriptions) => isMajority(subscriptions, rang)),
      Math.min(graceMs, endAtMs - clock.nowMs()),
      cancellation,
    );
    return Math.max(
      1,
      this.#most(({ told }) => told),
    );
  }

  #most(numberOf: (subscription: Subscription) => number): number {
    let most = 0;
    for (const subscriptions of this.#subscriptions)
      for (const subscription of subscriptions) most = Math.max(most, numberOf(subscription));
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

function isMajority(subscriptions: readonly Subscription[], has: (subscription: Subscription) => boolean): boolean {
  return subscriptions.filter(has).length >= majorityOf(subscriptions.length);
}
