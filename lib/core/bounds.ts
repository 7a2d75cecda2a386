/** Until when, and how often, one attempt asks. All times in milliseconds of the monotonic clock. */
export class Bounds {
  /** No round of any contest begins later, unless the vote stays split for good. */
  readonly settleUntilMs: number;
  /** No round goes on longer. */
  readonly endAtMs: number;
  /**
   * How long it took in an earlier round, from the question on, until the votes that came after the verdict showed which process has a
   * majority: a far server is waited for in the rounds that follow.
   */
  lateSettledMs = 0;
  /** Whether late votes of an earlier round showed that another contender leads: then votes that are missing count for it. */
  rivalMayLead = false;

  constructor(
    /** No round of a contest begins later, where the vote stays split for good. */
    readonly waitUntilMs: number,
    timeoutMs: number,
    /** How many rounds there may be. */
    readonly mostRounds: number,
    /** Whether the attempt was not served at once: other waiters may be subscribed to its release already. */
    readonly waited: boolean,
    /** Whether another process may have run the tick and nothing shows that any more: then no round begins, and none is won. */
    readonly tickIsOver: () => boolean,
    /** Until then the claim of the tick is to live. Default: for its ttl, from each question on. */
    readonly tickHoldUntilMs: number | undefined,
  ) {
    this.settleUntilMs = waitUntilMs + timeoutMs;
    this.endAtMs = waitUntilMs + 2 * timeoutMs;
  }
}
