import type { LossReason, VoteReport } from '../core/errors/index.js';
import type { RunTrigger } from '../core/ports/job-note.js';
import type { ServerState } from '../redis/server-status.js';

/** What every event has. */
export interface EventBase {
  /** The name of the `RedlockModule`, where it has one. */
  readonly instance?: string;
  /** When it happened, on the wall clock of this process. */
  readonly at: Date;
}

/** About one call, or the lock that it was granted. */
export interface LockEvent {
  /** The locked keys, as they were asked for. */
  readonly keys: readonly string[];
  /** `Class.method`, where the call came from a `@WithLock`. */
  readonly method?: string;
  /** This process, as other processes see it in their errors. */
  readonly owner: string;
}

/** About a call that was made by the schedule of a job. */
export interface TickEvent {
  /** The name of the job. */
  readonly job?: string;
  /** The instant that the run stands for; none where the job has no fixed ticks (`@Interval`). */
  readonly tick?: Date;
}

/**
 * Why a lock was not had: another process holds it, has run this tick, or several took votes from one another until the end, or the job
 * is paused.
 */
export type ContentionReason = 'locked' | 'already-ran' | 'undecided' | 'paused';

/** Why work did not run. */
export type SkipReason = ContentionReason | 'unreachable' | 'closing';

/** A run of a job on this replica. */
export interface JobEvent extends LockEvent, TickEvent {
  readonly job: string;
  readonly method: string;
  /** `catch-up`: a tick that no replica ran in time. `again`: a tick whose first run died. */
  readonly trigger: RunTrigger;
  readonly fencingToken: number;
}

/** A server as it counts for its quorum. */
export interface QuorumEvent {
  /** The position of the shard, where the module has several. */
  readonly shard?: number;
  /** How many servers vote now, how many there are, and how many are needed for a lock. */
  readonly voting: number;
  readonly servers: number;
  readonly needed: number;
}

/**
 * All events and what each has, without `type`, `instance` and `at`. All times in milliseconds. Nothing in them has a password.
 *
 * @publicApi
 */
export interface RedlockEventMap {
  /** A lock was granted to this process. */
  acquired: LockEvent &
    TickEvent & { readonly fencingToken: number; readonly waitedMs: number; readonly ttlMs: number };
  /** A call ended without a lock, because of other holders. */
  contended: LockEvent &
    TickEvent & {
      readonly reason: ContentionReason;
      /** The `owner` of the process that holds it, or has most votes. */
      readonly holder: string;
      readonly remainingMs: number;
      readonly waitedMs: number;
      readonly votes: readonly VoteReport[];
    };
  /** A call ended without a lock, because too few servers took part. */
  unreachable: LockEvent & TickEvent & { readonly waitedMs: number; readonly votes: readonly VoteReport[] };
  /** A majority of the servers has extended a lock. */
  extended: LockEvent & { readonly fencingToken: number; readonly remainingMs: number };
  /** A lock could not be trusted any more while it was held. */
  lost: LockEvent & {
    readonly fencingToken: number;
    readonly reason: LossReason;
    readonly heldMs: number;
    /** Whether work of `withLock` or `@WithLock` ran under it. */
    readonly hadWork: boolean;
    readonly message: string;
    readonly votes: readonly VoteReport[];
  };
  /** A lock was given back. */
  released: LockEvent & { readonly fencingToken: number; readonly heldMs: number };
  /**
   * Work did not run, because its lock was not had, or its job was paused during the jitter; `message` says it in words. A call that
   * rejects because of another holder is no skip; a scheduled run that met no majority is one, also where its method waits or throws.
   */
  skipped: LockEvent &
    TickEvent & {
      readonly reason: SkipReason;
      readonly message: string;
    };
  /** A scheduled method runs on this replica. Only the replica that has the lock of the tick emits it. */
  jobStarted: JobEvent & {
    /** How long after its tick it began; 0 where it has none. */
    readonly lateByMs: number;
  };
  jobSucceeded: JobEvent & { readonly durationMs: number };
  /** It rejected, or its lock was lost: `outcome` says which, as the history of the job does. */
  jobFailed: JobEvent & { readonly durationMs: number; readonly error: unknown; readonly outcome: 'failed' | 'lost' };
  /**
   * A tick of a job has not run in time. `unreachable`: this replica met no majority of the servers; it does not know whether another
   * one has run it. `missed`: found when the application started, and nothing makes up for it. Once for each tick and replica.
   */
  jobOverdue: {
    readonly job: string;
    readonly method: string;
    readonly tick: Date;
    /** How long ago the tick was. */
    readonly byMs: number;
    readonly reason: 'unreachable' | 'missed';
    readonly owner: string;
  };
  /** A server has changed its state; each change is emitted once, not once for each call. */
  serverState: QuorumEvent & {
    readonly server: string;
    readonly state: ServerState;
    readonly previous: ServerState;
    /** How long it has not voted, also where it votes again now: 0 when it voted until now. */
    readonly notVotingMs: number;
    /** Why it is in this state. */
    readonly reason?: string;
    /** For how much longer it is kept from voting, in the state `quarantined`. */
    readonly quarantineMs?: number;
    /** For how much longer it does not vote on ticks and on longer holds, in the states `quarantined` and `ready`, where that is longer. */
    readonly tickQuarantineMs?: number;
    /** What has happened, as the end of a sentence about the server. */
    readonly message: string;
  };
  /** Too few servers vote: no lock can be granted. */
  quorumLost: QuorumEvent;
  quorumRegained: QuorumEvent & {
    readonly lostForMs: number;
    /** For how much longer too few servers vote on ticks and on longer holds, where that is so: they have lost their data. */
    readonly tickQuarantineMs?: number;
  };
  /** Something endangers locks, or is good to know. `code` is stable, `message` is for people. */
  warning: {
    readonly code: string;
    readonly message: string;
    readonly level: 'log' | 'warn';
    readonly server?: string;
    readonly method?: string;
    readonly keys?: readonly string[];
  };
}

export type RedlockEventName = keyof RedlockEventMap;

/**
 * One event, told apart by `type`.
 *
 * @publicApi
 */
export type RedlockEvent<K extends RedlockEventName = RedlockEventName> = {
  [T in K]: Readonly<RedlockEventMap[T]> & EventBase & { readonly type: T };
}[K];

export const EVENT_NAMES = [
  'acquired',
  'contended',
  'unreachable',
  'extended',
  'lost',
  'released',
  'skipped',
  'jobStarted',
  'jobSucceeded',
  'jobFailed',
  'jobOverdue',
  'serverState',
  'quorumLost',
  'quorumRegained',
  'warning',
] as const satisfies readonly RedlockEventName[];
