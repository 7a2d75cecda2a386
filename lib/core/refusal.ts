import type { AcquirePlan } from './acquire.js';
import type { Decision } from './decision.js';
import { contendedMessage, LockContendedError, REASONS } from './errors/lock-contended.error.js';
import { QuorumUnreachableError } from './errors/quorum-unreachable.error.js';
import { isRedlockError } from './errors/redlock.error.js';
import { isPaused } from './pause-repair.js';
import type { Quorum } from './quorum.js';

/** `unreachable`: no majority of the servers has answered in time. `closing`: the application shuts down. */
type Reason = LockContendedError['reason'] | 'unreachable' | 'closing';

/** That there is no lock. Many callers need no more than the reason, so the error, with its message and its stack, is made on demand. */
export class Refusal {
  #error: Error | undefined;

  constructor(
    readonly reason: Reason,
    private readonly makeError: () => Error,
    private readonly makeMessage?: () => string,
  ) {}

  /** Whether a majority of the servers has said no. Otherwise it is not known whether another process has the lock. */
  get isDenial(): boolean {
    return this.reason === 'locked' || this.reason === 'already-ran' || this.reason === 'paused';
  }

  /** What the error says; the error is not made for it. */
  get message(): string {
    return this.makeMessage?.() ?? this.error.message;
  }

  /** The same one each time. */
  get error(): Error {
    return (this.#error ??= this.makeError());
  }
}

/** Why an acquisition ends without the lock. */
export function refuse({ queues }: Quorum, plan: AcquirePlan, decision: Exclude<Decision, { kind: 'won' }>): Refusal {
  switch (decision.kind) {
    case 'held':
    case 'contested': {
      const what = tickHasRun(decision, plan) ? 'tick' : isJobPaused(decision, plan) ? 'paused' : decision.kind;
      const { holder, votes } = decision;
      const toError = (): Error => new LockContendedError(plan.keys, holder, votes, what, plan.hint?.());
      const toMessage = (): string => contendedMessage(plan.keys, holder, votes, what, plan.hint?.());
      return new Refusal(REASONS[what], toError, toMessage);
    }
    case 'unreachable':
    case 'unconfirmed':
    case 'late': {
      const toError = (): Error => new QuorumUnreachableError('acquire', plan.keys, queues.length, decision.votes);
      return new Refusal('unreachable', toError);
    }
    default:
      return decision satisfies never;
  }
}

/** Waiting would not help: the tick has run, or the job is paused until an operator resumes it, or for hours. */
export function isFinal(decision: Decision, plan: AcquirePlan): boolean {
  return tickHasRun(decision, plan) || isJobPaused(decision, plan);
}

/** What a call was ended with. Only the shutdown is a refusal: anything else is thrown. */
export function refusedByShutdown(error: unknown): Refusal {
  if (!isRedlockError(error, 'SHUTDOWN')) throw error;
  return new Refusal('closing', () => error);
}

function tickHasRun(decision: Decision, { tick }: AcquirePlan): boolean {
  return decision.kind === 'held' && decision.holder.key === tick?.key;
}

function isJobPaused(decision: Decision, { job }: AcquirePlan): boolean {
  return decision.kind === 'held' && isPaused(decision.holder, job);
}
