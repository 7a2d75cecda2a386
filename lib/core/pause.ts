import type { AcquirePlan } from './acquire.js';
import { backoffMs } from './backoff.js';
import { Bell } from './bell.js';
import { SHORTEST_ROUND_MS, type Decision } from './decide.js';
import { nodeTimeoutMs, type Quorum } from './quorum.js';
import { sleep } from './wait.js';

/** The server forgets within this time after the ttl that it has told, which it rounds. */
const EXPIRY_MS = 1;

/**
 * What a waiter does between two questions. Where somebody has the lock it listens for the release; what remains of the
 * holder's ttl is the backstop for a message that is lost. For everything else, and where too few servers can be heard, it
 * asks again after a random time.
 */
export class Pause {
  #bell: Bell | undefined;
  #askedAtMs = 0;
  /** How many releases it has been told of, and somebody else was first. */
  #passedOver = 0;
  /** Whether nothing that was told since before the last question can have been missed. */
  #listening = false;

  constructor(
    private readonly quorum: Quorum,
    private readonly plan: AcquirePlan,
    private readonly untilMs: number,
    private readonly mayListen: boolean,
  ) {}

  /** Stays out of the way of those who were told in other processes. Harmless when nobody was. */
  async politely(politeUntilMs: number): Promise<void> {
    const delayMs = politeUntilMs - this.quorum.clock.nowMs();
    if (delayMs <= 0) return;
    this.#listen();
    await this.#sleep(delayMs);
  }

  beforeQuestion(): void {
    this.#askedAtMs = this.quorum.clock.nowMs();
    this.#bell?.reset();
    this.#listening = this.#bell?.hears ?? false;
  }

  async afterQuestion(decision: Decision, round: number): Promise<void> {
    const { clock, rules, entropy } = this.quorum;
    const remainingMs = decision.kind === 'held' ? decision.holder.remainingMs + EXPIRY_MS : Infinity;
    const expiresAtMs = clock.nowMs() + remainingMs;
    if (this.mayListen && remainingMs < Infinity && (await this.#listenFor(remainingMs))) return;
    const backMs = backoffMs(round, rules.retryDelayMs, rules.maxRetryDelayMs, entropy);
    await this.#sleep(Math.min(backMs, expiresAtMs - clock.nowMs()));
  }

  close(): void {
    this.#bell?.close();
  }

  get #leftMs(): number {
    return Math.max(1, this.untilMs - this.quorum.clock.nowMs());
  }

  /** Returns whether it is time to ask again. */
  async #listenFor(remainingMs: number): Promise<boolean> {
    const { clock, rules } = this.quorum;
    const { signal, ttlMs } = this.plan;
    if (this.#bell === undefined) {
      // What was told before it listens is missed: so it asks again as soon as it does.
      return await this.#listen().tune(Math.min(nodeTimeoutMs(rules, ttlMs), remainingMs, this.#leftMs), signal);
    }
    if (!this.#listening) return false;
    const graceMs = Math.max(SHORTEST_ROUND_MS, clock.nowMs() - this.#askedAtMs);
    const told = await this.#bell.ring(Math.min(remainingMs, this.#leftMs), graceMs, signal);
    if (told === 0) return true;
    // Who has been passed over most often goes first; who has come last has seen the fewest releases.
    const ahead = Math.max(0, told - 1 - this.#passedOver++);
    if (ahead > 0) await this.#sleep(ahead * graceMs);
    return true;
  }

  #listen(): Bell {
    return (this.#bell ??= new Bell(
      this.quorum,
      this.plan.claims.map(({ key }) => key),
    ));
  }

  #sleep(delayMs: number): Promise<void> {
    return sleep(this.quorum.clock, Math.max(1, Math.min(delayMs, this.#leftMs)), this.plan.signal);
  }
}
