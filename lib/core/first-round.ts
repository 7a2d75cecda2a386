import type { AcquirePlan } from './acquire.js';
import { admit, leave, tooBusyVotes } from './admission.js';
import type { Bounds } from './bounds.js';
import type { Decision } from './decision.js';
import type { Quorum } from './quorum.js';
import { Round, type RoundCaller } from './round.js';
import type { PermitWaiter } from './semaphore.js';

/** An attempt whose servers have been asked once. */
export interface BegunAttempt {
  readonly token: string;
  readonly bounds: Bounds;
  readonly startedAtMs: number;
  readonly decision: Decision;
}

/** The first round of an attempt. It waits for admission: the rounds after it do not, because they may hold votes. It calls back once. */
export class FirstRound implements RoundCaller, PermitWaiter {
  readonly #token: string;
  #startedAtMs = 0;

  constructor(
    private readonly quorum: Quorum,
    private readonly plan: AcquirePlan,
    private readonly bounds: Bounds,
    private readonly onBegun: (begun: BegunAttempt) => void,
    /** With the reason of the cancellation, or with what the rules have thrown. */
    readonly onCancelled: (reason: unknown) => void,
  ) {
    this.#token = quorum.entropy.token();
  }

  begin(): void {
    const { quorum, plan, bounds } = this;
    this.#startedAtMs = quorum.clock.nowMs();
    admit(quorum, plan, bounds.settleUntilMs, this);
  }

  onPermits(isGranted: boolean): void {
    const { quorum, plan, bounds } = this;
    if (!isGranted) {
      this.#end({ kind: 'unreachable', votes: tooBusyVotes(quorum) });
      return;
    }
    this.#startedAtMs = quorum.clock.nowMs();
    new Round(quorum, plan, this.#token, bounds, this).ask();
  }

  onDecision(decision: Decision): void {
    leave(this.quorum, this.plan);
    this.#end(decision);
  }

  onError(error: unknown): void {
    leave(this.quorum, this.plan);
    this.onCancelled(error);
  }

  #end(decision: Decision): void {
    this.onBegun({ token: this.#token, bounds: this.bounds, startedAtMs: this.#startedAtMs, decision });
  }
}

/** The first round of an attempt. Rejects with the reason of the cancellation. */
export function beginAttempt(quorum: Quorum, plan: AcquirePlan, bounds: Bounds): Promise<BegunAttempt> {
  return new Promise((resolve, reject) => {
    new FirstRound(quorum, plan, bounds, resolve, reject).begin();
  });
}
