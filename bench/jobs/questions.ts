import type { ContestantName } from '../contestants/index.js';

/** Which library, on which servers. */
export interface Subject {
  readonly contestant: ContestantName;
  readonly urls: readonly string[];
}

/** Some callers that take locks and give them back, for so long. */
export interface CyclesQuestion extends Subject {
  readonly atOnce: number;
  /** The same key again for each caller, a new key each time, or the next tick of a job. */
  readonly keys: 'same' | 'fresh' | 'tick';
  readonly forMs: number;
  /** Whether the commands are counted, which costs time. */
  readonly counting?: boolean;
}

export interface CyclesAnswer {
  readonly cycles: number;
  readonly elapsedMs: number;
  /** Of the whole process, its other threads included. */
  readonly cpuUs: number;
  readonly p50Us: number;
  readonly p99Us: number;
  /** Commands that left this process for the servers; 0 unless they were counted. */
  readonly commands: number;
}

export interface TriesQuestion extends Subject {
  readonly forMs: number;
  readonly counting?: boolean;
}

/** Waiters in one process that take one lock again and again, hold it for a moment and give it back. */
export interface WaitQuestion extends Subject {
  readonly key: string;
  readonly waiters: number;
  readonly forMs: number;
}

export interface WaitAnswer {
  /** Those that ended within the time. */
  readonly grants: readonly Grant[];
  readonly longestWaitMs: number;
  readonly commands: number;
}

/** The time for which a waiter held the lock, on the machine's monotonic clock, which all processes share. */
export interface Grant {
  readonly grantedAtMs: number;
  /** When the release was asked for. */
  readonly releasedAtMs: number;
}

export interface KeepQuestion extends Subject {
  readonly locks: number;
  readonly ttlMs: number;
  readonly forMs: number;
}

export interface KeepAnswer {
  /** Of one core, while the locks are held. */
  readonly cpuPercent: number;
  readonly bytesALock: number;
  readonly stopMs: number;
  readonly lost: number;
}

export interface TickQuestion {
  readonly urls: readonly string[];
  readonly jobs: number;
  readonly everySeconds: number;
}

/** A run of a job. */
export interface Begun {
  readonly job: number;
  readonly atMs: number;
}

/** The library's own JavaScript, on servers in the memory of the process. */
export interface MemoryQuestion {
  readonly servers: number;
  readonly atOnce: number;
  readonly forMs: number;
  readonly how: 'acquire' | 'withLock' | 'decorator' | 'listened';
}

export interface MemoryAnswer {
  readonly cycles: number;
  readonly cpuUs: number;
}

export interface CountQuestion {
  readonly servers: number;
}

/** Of one lock that is taken and given back. */
export interface CountAnswer {
  readonly promises: number;
  readonly timers: number;
}

/** What a process of the benchmark can be asked. Everything survives JSON. */
export interface Jobs {
  cycles: { question: CyclesQuestion; answer: CyclesAnswer };
  tries: { question: TriesQuestion; answer: CyclesAnswer };
  wait: { question: WaitQuestion; answer: WaitAnswer };
  keep: { question: KeepQuestion; answer: KeepAnswer };
  startReplica: { question: TickQuestion; answer: null };
  stopReplica: { question: null; answer: readonly Begun[] };
  memory: { question: MemoryQuestion; answer: MemoryAnswer };
  count: { question: CountQuestion; answer: CountAnswer };
}

export type JobName = keyof Jobs;
