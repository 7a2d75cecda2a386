/** The first command to a replica. */
export interface Boot {
  readonly kind: 'boot';
  readonly name: string;
  /** Attempts are numbered from here on. */
  readonly firstAttempt: number;
  readonly seed: number;
  readonly historyFile: string;
  /** Of the shared clock, in nanoseconds. */
  readonly origin: string;
  readonly urls: readonly string[];
  readonly restartGuard: 'witnessed' | 'strict' | 'off';
  readonly clockToleranceMs: number;
  /** Whether it locks without a command, or only by `take`. */
  readonly busy: boolean;
}

export type Command =
  | Boot
  /** Settles when the replica ends unexpectedly. */
  | { readonly kind: 'stay' }
  /** Takes one lock, and answers when it has it or has not got it. It lets go of it at the end. */
  | { readonly kind: 'take'; readonly key: string; readonly ttlMs: number }
  /** As a deployment does it. */
  | { readonly kind: 'close' };

/** What `take` came to, or how often the process logged something bad. */
export type Answer = boolean | undefined;

/** The longest ttl in use. Each replica begins with it, so that its guard knows how long a lock may be. */
export const LONGEST_TTL_MS = 3_000;

export const NODE_TIMEOUT_MS = 500;

export const DRIFT_FACTOR = 0.01;

/** So long a tick waits for its lock, at most: a quarter of the longest period. */
export const TICK_WAIT_MS = 500;

/** The decorated jobs, also for the checkers. */
export const JOBS = [
  { key: 'tick', periodMs: 1_000, ttlMs: 800, takesMs: 5 },
  { key: 'long tick', periodMs: 2_000, ttlMs: 1_200, takesMs: 2_500 },
] as const;

/** The job that replicas also pause, read, run by hand, make up for and run again. Its runs are short, so that nothing waits for long. */
export const STEERED = JOBS[0];
