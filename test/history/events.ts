/**
 * What happened in one run, as plain JSON: what the simulator and the chaos runs write down, and all that the checkers go by.
 *
 * There is one axis of time, in milliseconds (fractions are welcome): virtual in the simulator, the monotonic clock of the
 * machine in chaos runs. Events are in the order of `atMs`; of two at the same instant the first one comes first.
 *
 * A run is of one quorum group. Whatever a recorder leaves out makes a checker say "unknown", never "holds".
 */
export interface History {
  readonly about: About;
  readonly events: readonly HistoryEvent[];
}

/** What must be known of a run to judge it. */
export interface About {
  /** How many servers make the quorum group. They are numbered from 0. */
  readonly servers: number;
  /** By how much the clocks of processes may run faster or slower than the axis. */
  readonly driftFactor: number;
  /** How late a timer or an entry of the recorder may be without anybody's fault: 0 on virtual time. */
  readonly toleranceMs: number;
  /**
   * How long a server must have been up until every process is connected to it again and has delivered there what was
   * outstanding.
   */
  readonly graceMs: number;
  /** How many locks on its key may be granted to others who asked later, while somebody waits. */
  readonly mostOvertakes: number;
  /** How long a lock may be free while somebody waits for it: they have to hear of it, and to settle who gets it. */
  readonly mostIdleMs: number;
  /** For so long a process that has given a lock back leaves it to others. */
  readonly courtesyMs: number;
  /** How far the wall clocks of processes may be apart. Default: 0. */
  readonly skewMs?: number;
  /** What this run does not claim, and why: for a run that goes beyond the assumptions of a promise on purpose. */
  readonly outside?: Partial<Record<CheckerName, string>>;
}

export type CheckerName =
  | 'mutual exclusion'
  | 'fencing order'
  | 'one run a tick'
  | 'no lost tick'
  | 'settles in time'
  | 'no ghost'
  | 'nothing left'
  | 'signal in time'
  | 'no starvation'
  | 'events agree'
  | 'paused jobs stay'
  | 'no run lost by a pause'
  | 'register is fresh'
  | 'died only without an end'
  | 'covered ticks stay'
  | 'again once';

/** What made a run of a job. As in `lib/core/ports/lock-node.ts`. */
export type RunTrigger = 'schedule' | 'manual' | 'catch-up' | 'again';

/** The tick of a cron expression, as the option of `acquire` has it. Milliseconds since 1970, and not on the axis. */
export interface TickOfRun {
  readonly atMs: number;
  readonly periodMs: number;
}

/** Calls of clients. `attempt` is the number of one call of acquire and of the lock that it gives, unique in the history. */
export type AttemptEvent =
  /** A client calls `acquire` (or `withLock`). */
  | {
      readonly kind: 'asked';
      readonly atMs: number;
      readonly client: string;
      readonly attempt: number;
      readonly keys: readonly string[];
      readonly ttlMs: number;
      /** null: until it is cancelled. */
      readonly waitMs: number | null;
      readonly nodeTimeoutMs: number;
      /** The lock stays on the servers for so long after its grant, also when it is released earlier. Default: 0. */
      readonly minHoldMs?: number;
      /** How often it may ask again. Default: as often as the wait lets it. */
      readonly maxRetries?: number;
      readonly tick?: TickOfRun;
      /** The job that this is a run of, and what made the run. Both or neither. */
      readonly job?: string;
      readonly trigger?: RunTrigger;
    }
  /** The client's own signal cancels the waiting. */
  | { readonly kind: 'cancelled'; readonly atMs: number; readonly attempt: number }
  /** The call has rejected. `code` is that of the error, or 'CANCELLED', or 'THROWN' for anything else. */
  | {
      readonly kind: 'refused';
      readonly atMs: number;
      readonly attempt: number;
      readonly code: string;
      /** Of LOCK_CONTENDED: the reason that the error names. */
      readonly reason?: string;
      /** The message of the error. No checker goes by it. */
      readonly why?: string;
    }
  /** The client has the lock. */
  | {
      readonly kind: 'granted';
      readonly atMs: number;
      readonly attempt: number;
      readonly token: string;
      /** null where fencing was switched off. */
      readonly fence: number | null;
      /** Up to when the client believes the lock to be valid: now plus `lock.remaining`, or 0 where nothing is left. */
      readonly validUntilMs: number;
    }
  /** The client believes in another end of the validity, later or earlier: somebody extended it, or it extends itself. */
  | { readonly kind: 'extended'; readonly atMs: number; readonly attempt: number; readonly validUntilMs: number }
  /** A call of `extend` begins, and settles. `call` is unique in the history. */
  | {
      readonly kind: 'extending';
      readonly atMs: number;
      readonly attempt: number;
      readonly call: number;
      readonly ttlMs: number;
    }
  | { readonly kind: 'extendSettled'; readonly atMs: number; readonly call: number; readonly code?: string }
  /** Work begins under the lock, and ends. */
  | { readonly kind: 'began'; readonly atMs: number; readonly attempt: number }
  | { readonly kind: 'ended'; readonly atMs: number; readonly attempt: number; /** It threw. */ readonly failed?: true }
  /** The lock's signal has aborted. */
  | { readonly kind: 'aborted'; readonly atMs: number; readonly attempt: number; readonly reason: string }
  /** A call of `release` begins, and settles: clean without a code. */
  | { readonly kind: 'releasing'; readonly atMs: number; readonly attempt: number }
  | { readonly kind: 'released'; readonly atMs: number; readonly attempt: number; readonly code?: string };

/** An operator removes the lock that is on a key by force, with a call that begins and settles. `call` as in `extending`. */
export type RemovalEvent =
  | {
      readonly kind: 'forcing';
      readonly atMs: number;
      readonly client: string;
      readonly call: number;
      readonly key: string;
    }
  /** `everywhere`: no server has what was there when it began. */
  | { readonly kind: 'forced'; readonly atMs: number; readonly call: number; readonly everywhere: boolean };

/**
 * A process changes what the servers keep of a job, or reads it, with a call that begins and settles. `call` as in `extending`. These
 * pauses are of jobs; `paused` and `resumed` are of processes.
 */
export type RegisterEvent =
  | {
      readonly kind: 'steering';
      readonly atMs: number;
      readonly client: string;
      readonly call: number;
      readonly job: string;
      readonly what: 'pause' | 'resume' | 'cover';
      /** How long a pause is to last. Default: until the job is resumed. */
      readonly forMs?: number;
      /** The tick that needs no run any more, in epoch ms. */
      readonly tickAtMs?: number;
      readonly nodeTimeoutMs: number;
    }
  /** `cover` waits for no answer, and settles at once. */
  | { readonly kind: 'steered'; readonly atMs: number; readonly call: number; readonly code?: string }
  | {
      readonly kind: 'reading';
      readonly atMs: number;
      readonly client: string;
      readonly call: number;
      readonly job: string;
      readonly nodeTimeoutMs: number;
    }
  | {
      readonly kind: 'readSettled';
      readonly atMs: number;
      readonly call: number;
      readonly code?: string;
      readonly record?: RecordSeen;
    };

/** What a process was told of a job. */
export interface RecordSeen {
  /** For how much longer the job is paused: 0 where it is not, null until it is resumed. */
  readonly pausedLeftMs: number | null;
  readonly coveredMs: number;
  /** The newest first. */
  readonly runs: readonly RunSeen[];
}

export interface RunSeen {
  readonly token: string;
  readonly owner: string;
  readonly trigger: RunTrigger;
  /** 0 where it stands for no tick. */
  readonly tickMs: number;
  readonly outcome: 'running' | 'succeeded' | 'failed' | 'lost' | 'died';
}

/** What becomes of the processes. A client is there from its `started` on. */
export type ClientEvent =
  /** `stopped` has shut down in good order: it has given everything up, but what it ran may go on for a while. */
  | { readonly kind: 'started' | 'stopped'; readonly atMs: number; readonly client: string }
  | {
      readonly kind: 'paused';
      readonly atMs: number;
      readonly client: string;
      /** The machine was suspended: neither its monotonic clock nor its timers have counted the pause. */
      readonly suspended?: boolean;
    }
  | { readonly kind: 'resumed' | 'killed'; readonly atMs: number; readonly client: string };

/** How often a process has emitted each event of its locks, when it has shut down. */
export interface Emitted {
  readonly kind: 'emitted';
  readonly atMs: number;
  readonly client: string;
  readonly counts: EventCounts;
}

export const COUNTED_EVENTS = ['acquired', 'contended', 'unreachable', 'lost'] as const;

/** Of jobs: only where the calls of the process are those of a Nest application. */
export const COUNTED_JOB_EVENTS = ['skipped', 'jobStarted', 'jobSucceeded', 'jobFailed'] as const;

export type CountedJobEvent = (typeof COUNTED_JOB_EVENTS)[number];

export type EventCounts = Readonly<Record<CountedEvent, number> & Partial<Record<CountedJobEvent, number>>>;

export type CountedEvent = (typeof COUNTED_EVENTS)[number];

/** A tick of a schedule has come: these replicas were there to fire it, each by its own clock, up to `untilMs`. */
export interface TickDue {
  readonly kind: 'due';
  readonly atMs: number;
  /** Those of its lock. */
  readonly keys: readonly string[];
  readonly tickAtMs: number;
  readonly untilMs: number;
  readonly replicas: readonly string[];
}

/** What becomes of the servers, and what an outsider finds on them. */
export type ServerEvent =
  /**
   * `away` is everything because of which it does not fully take part: killed, stalled, slow, cut off from somebody, or
   * not trusted after a loss of its data; again for each further reason. `up` ends them all. All servers are up at the beginning.
   */
  | {
      readonly kind: 'server';
      readonly atMs: number;
      readonly server: number;
      readonly status: 'up';
      readonly why: string;
    }
  | {
      readonly kind: 'server';
      readonly atMs: number;
      readonly server: number;
      readonly status: 'away';
      readonly why: string;
    }
  /** It has lost data: all of them, or the keys that are named. */
  | { readonly kind: 'lost'; readonly atMs: number; readonly server: number; readonly keys?: readonly string[] }
  /** A lock's key is on a server. The keys are those that clients ask for, without prefix; ticks are not listed. */
  | {
      readonly kind: 'leftover';
      readonly atMs: number;
      readonly server: number;
      readonly key: string;
      readonly token: string;
      /** null: it never expires. */
      readonly ttlLeftMs: number | null;
    }
  /** All of this server was looked at: what was not listed as left over just before is not there. */
  | { readonly kind: 'scanned'; readonly atMs: number; readonly server: number };

/** The observer stops. Whatever has not settled by now was still open. */
export interface End {
  readonly kind: 'end';
  readonly atMs: number;
}

/** Anything for the timeline that nobody judges. */
export interface Note {
  readonly kind: 'note';
  readonly atMs: number;
  readonly text: string;
}

export type HistoryEvent =
  AttemptEvent | RemovalEvent | RegisterEvent | ClientEvent | Emitted | TickDue | ServerEvent | End | Note;

/** The event of one kind. */
export type EventOf<K extends HistoryEvent['kind']> = Only<HistoryEvent, K>;

type Only<E, K> = E extends { readonly kind: infer Kinds } ? (K extends Kinds ? E : never) : never;
