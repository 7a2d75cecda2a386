import type { AcquirePlan } from './acquire.js';
import { Bounds } from './bounds.js';
import type { Clock } from './ports/clock.js';
import { nodeTimeoutMs, type Quorum } from './quorum.js';
import type { Decision } from './decision.js';

/** Until when, and for how many rounds, an acquisition goes on. It depends on what the servers have said last (P5). */
export class Deadlines {
  readonly #clock: Clock;
  readonly #plan: AcquirePlan;
  readonly #timeoutMs: number;
  /** While another process holds the lock, or the vote is split. */
  #waitUntilMs: number;
  /** While no majority can be reached. Not before the wait is over. */
  readonly #unreachableUntilMs: number;
  readonly #tickHoldUntilMs: number | undefined;
  readonly #tickIsOver: () => boolean;
  #bounds: Bounds | undefined;
  #rounds = 0;
  #wasLate = false;

  constructor({ clock, rules }: Pick<Quorum, 'clock' | 'rules'>, plan: AcquirePlan) {
    const { waitMs, unreachableWaitMs = waitMs, tickHoldMs, ttlMs } = plan;
    const nowMs = clock.nowMs();
    this.#clock = clock;
    this.#plan = plan;
    this.#timeoutMs = nodeTimeoutMs(rules, ttlMs);
    this.#waitUntilMs = nowMs + waitMs;
    this.#unreachableUntilMs = nowMs + Math.max(waitMs, unreachableWaitMs);
    this.#tickIsOver = plan.tickLeftMs === undefined ? never : tickIsOver(clock, nowMs, plan.tickLeftMs);
    this.#tickHoldUntilMs = tickHoldMs === undefined ? undefined : nowMs + tickHoldMs;
  }

  get waitUntilMs(): number {
    return this.#waitUntilMs;
  }

  /** The bounds of the next attempt. */
  next(waited = false): Bounds {
    const waitUntilMs = Math.max(this.#waitUntilMs, Math.min(this.#clock.nowMs(), this.#unreachableUntilMs));
    const mostRounds = this.#plan.maxRetries + 1 - this.#rounds;
    return (this.#bounds = new Bounds(
      waitUntilMs,
      this.#timeoutMs,
      mostRounds,
      waited,
      this.#tickIsOver,
      this.#tickHoldUntilMs,
    ));
  }

  /** Until when to go on after this attempt. */
  after(decision: Decision): number | 'at once' | 'over' {
    const nowMs = this.#clock.nowMs();
    this.#rounds += decision.rounds ?? 1;
    if (this.#rounds > this.#plan.maxRetries) return 'over';
    const untilMs = isReached(decision) ? this.#waitUntilMs : Math.max(this.#waitUntilMs, this.#unreachableUntilMs);
    // The servers have granted, but this process was paused, or may have been. They are asked once more, whatever the wait.
    if (decision.kind === 'late' && !this.#wasLate && nowMs >= untilMs) {
      this.#wasLate = true;
      if (nowMs >= (this.#bounds?.endAtMs ?? Infinity)) this.#waitUntilMs = Math.max(this.#waitUntilMs, nowMs);
      return 'at once';
    }
    return nowMs >= untilMs ? 'over' : untilMs;
  }

  /** The next answer may come from a majority again, and a lock that is held then is waited for anew. */
  onPaused(decision: Decision): void {
    if (isReached(decision)) return;
    const anewMs = Math.min(this.#clock.nowMs() + this.#plan.waitMs, this.#unreachableUntilMs);
    this.#waitUntilMs = Math.max(this.#waitUntilMs, anewMs);
  }
}

/**
 * Goes by the clock that has gone further. The claims of a tick that has run expire on the servers while this machine is suspended,
 * and its monotonic clock does not count that time.
 */
function tickIsOver(clock: Clock, startedAtMs: number, leftMs: number): () => boolean {
  const startedAtWallMs = clock.wallMs();
  return () => Math.max(clock.nowMs() - startedAtMs, clock.wallMs() - startedAtWallMs) >= leftMs;
}

function never(): boolean {
  return false;
}

/** Whether a majority of the servers has answered. */
function isReached({ kind }: Decision): boolean {
  return kind === 'held' || kind === 'contested';
}
