import type { AcquirePlan } from './acquire.js';
import { backoffMs } from './backoff.js';
import { ReleaseNotifications } from './release-notifications.js';
import { SHORTEST_ROUND_MS } from './attempt.js';
import { nodeTimeoutMs, type Quorum } from './quorum.js';
import type { Decision } from './decision.js';
import { sleep } from './wait.js';
import type { RemoteWindow } from './remote-windows.js';

/** A server rounds the ttl that it reports, and forgets the key up to this much later. */
const EXPIRY_MS = 1;

/**
 * What a waiter does between two questions. While another process holds the lock, the waiter subscribes to its release; if the
 * message is lost, it asks when the holder's ttl is over. In all other cases, and while it is subscribed to too few servers, it
 * asks again after a random time.
 */
export class Pause {
  #notifications: ReleaseNotifications | undefined;
  /** The shortest time that the servers have taken for an answer so far. */
  #tripMs = Infinity;
  /** Whether it has been subscribed since before the last question. */
  #listening = false;

  constructor(
    private readonly quorum: Quorum,
    private readonly plan: AcquirePlan,
    /** When the waiting is over. */
    private untilMs: number,
    private readonly mayListen: boolean,
  ) {}

  /** Lets waiters of other processes go first, until one of them has had the lock. Returns whether one has. */
  async waitForRemote({ untilMs, tripMs }: RemoteWindow): Promise<boolean> {
    const { clock } = this.quorum;
    if (untilMs <= clock.nowMs()) return false;
    this.#tripMs = tripMs;
    const notifications = this.#listen();
    await notifications.waitUntilSubscribed(Math.min(untilMs - clock.nowMs(), this.#leftMs), this.plan.cancellation);
    return await this.#waitForRelease(notifications, untilMs - clock.nowMs());
  }

  beforeQuestion(): void {
    this.#notifications?.clear();
    this.#listening = this.#notifications?.isSubscribed ?? false;
  }

  async afterQuestion(decision: Decision, round: number, untilMs: number): Promise<void> {
    const { clock, rules, entropy } = this.quorum;
    this.untilMs = untilMs;
    this.#tripMs = Math.min(this.#tripMs, decision.roundMs ?? Infinity);
    const remainingMs = decision.kind === 'held' ? decision.holder.remainingMs + EXPIRY_MS : Infinity;
    const expiresAtMs = clock.nowMs() + remainingMs;
    if (this.mayListen && remainingMs < Infinity && (await this.#listenFor(remainingMs))) return;
    const backMs = backoffMs(round, rules.retryDelayMs, rules.maxRetryDelayMs, entropy);
    await this.#sleep(Math.min(backMs, expiresAtMs - clock.nowMs()));
  }

  close(): void {
    this.#notifications?.close();
  }

  get #leftMs(): number {
    return Math.max(1, this.untilMs - this.quorum.clock.nowMs());
  }

  /** Returns whether it is time to ask again. */
  async #listenFor(remainingMs: number): Promise<boolean> {
    const { rules } = this.quorum;
    const { cancellation, ttlMs } = this.plan;
    if (this.#notifications === undefined) {
      // It has missed what was published before it subscribed: so it asks again as soon as it is subscribed.
      return await this.#listen().waitUntilSubscribed(
        Math.min(nodeTimeoutMs(rules, ttlMs), remainingMs, this.#leftMs),
        cancellation,
      );
    }
    if (!this.#listening) return false;
    await this.#waitForRelease(this.#notifications, remainingMs);
    return true;
  }

  /** Returns whether the lock was released. */
  async #waitForRelease(notifications: ReleaseNotifications, timeoutMs: number): Promise<boolean> {
    const told = await notifications.waitForRelease(
      Math.max(1, Math.min(timeoutMs, this.#leftMs)),
      this.#graceMs,
      this.plan.cancellation,
    );
    // The waiter that has seen the most releases asks at once. The others add a random delay, so that they do not contest it.
    const ahead = Math.max(0, told - notifications.seenCount);
    const delayMs = (this.#graceMs * this.quorum.entropy.random() * ahead) / told;
    if (ahead > 0) await sleep(this.quorum.clock, Math.min(delayMs, this.#leftMs), this.plan.cancellation);
    return told > 0;
  }

  get #graceMs(): number {
    return Math.max(SHORTEST_ROUND_MS, Math.min(this.#tripMs, this.quorum.rules.nodeTimeoutMs));
  }

  #listen(): ReleaseNotifications {
    return (this.#notifications ??= new ReleaseNotifications(
      this.quorum,
      this.plan.claims.map(({ key }) => key),
    ));
  }

  #sleep(delayMs: number): Promise<void> {
    return sleep(this.quorum.clock, Math.max(1, Math.min(delayMs, this.#leftMs)), this.plan.cancellation);
  }
}
