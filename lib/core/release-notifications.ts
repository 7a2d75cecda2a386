import type { Cancellation } from './cancellation.js';
import type { Cancel } from './ports/clock.js';
import type { Quorum } from './quorum.js';
import { majorityOf } from './vote.js';
import { untilOver } from './wait.js';

/** What one server has published on one channel. */
interface Subscription {
  isSubscribed: boolean;
  /** Since the last `clear`: whether it has published a release, and to how many subscribers. */
  published: boolean;
  receivers: number;
  /** How many releases it has published in all. */
  seen: number;
}

/**
 * Tells a waiter that the holder in another process has released the lock, so that the waiter need not ask (P14).
 *
 * A release that frees the lock reached a majority of the servers. A subscriber to a majority shares a server with it, and so sees
 * at least one message. It is better to ask when a majority has published it, because then a majority is free.
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
        const subscription: Subscription = { isSubscribed: false, published: false, receivers: 0, seen: 0 };
        const cancel = queue.listen(channel, {
          onHearing: (isSubscribed) => {
            subscription.isSubscribed = isSubscribed;
            this.#onChange();
          },
          onReleased: (receivers) => {
            Object.assign(subscription, { published: true, receivers, seen: subscription.seen + 1 });
            this.#onChange();
          },
        });
        this.#cancels.push(cancel);
        return subscription;
      }),
    );
  }

  /** Whether it is subscribed to so many servers that it cannot miss a release. */
  get isSubscribed(): boolean {
    return this.#subscriptions.every((subscriptions) => isMajority(subscriptions, ({ isSubscribed }) => isSubscribed));
  }

  /** How many releases it has seen. */
  get seenCount(): number {
    return this.#most(({ seen }) => seen);
  }

  /** Forgets what was published so far. */
  clear(): void {
    for (const subscription of this.#subscriptions.flat())
      Object.assign(subscription, { published: false, receivers: 0 });
  }

  /** Waits until it is subscribed, but not longer than this. */
  async waitUntilSubscribed(timeoutMs: number, cancellation?: Cancellation): Promise<boolean> {
    await this.#until(() => this.isSubscribed, timeoutMs, cancellation);
    return this.isSubscribed;
  }

  /**
   * Waits for a release since the last `clear`, but not longer than this, and not without a subscription. When fewer than a majority have
   * published it, it waits up to `graceMs` for the others. Returns how many subscribers received it; 0 without a release.
   */
  async waitForRelease(timeoutMs: number, graceMs: number, cancellation?: Cancellation): Promise<number> {
    const { clock } = this.quorum;
    const endAtMs = clock.nowMs() + timeoutMs;
    const published = ({ published }: Subscription): boolean => published;
    const somewhere = (): boolean => this.#subscriptions.some((subscriptions) => subscriptions.some(published));
    await this.#until(() => !this.isSubscribed || somewhere(), timeoutMs, cancellation);
    if (!somewhere()) return 0;
    await this.#until(
      () => this.#subscriptions.some((subscriptions) => isMajority(subscriptions, published)),
      Math.min(graceMs, endAtMs - clock.nowMs()),
      cancellation,
    );
    return Math.max(
      1,
      this.#most(({ receivers }) => receivers),
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
