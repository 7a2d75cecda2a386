/** What the test asks of a replica. */
export type Command =
  | { readonly kind: 'boot'; readonly servers: readonly string[]; readonly scheduled: boolean }
  | { readonly kind: 'fire'; readonly call: Call }
  | { readonly kind: 'report' }
  | { readonly kind: 'close' };

/** One tick of a job. */
export interface Call {
  /** The lock's key. */
  readonly key: string;
  /** Which tick it is on the replica's clock, which has one a second. */
  readonly tick: number;
  /** When it is fired, on the clock that all processes of a machine share. */
  readonly dueAtMs: number;
  /** How long a run takes. */
  readonly takesMs: number;
  readonly perTick: boolean;
}

export interface Run {
  readonly key: string;
  readonly tick: number;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
}

export interface Firing {
  readonly key: string;
  readonly tick: number;
  readonly dueAtMs: number;
  readonly firedAtMs: number;
  readonly settledAtMs: number;
  /** What the call rejected with. */
  readonly error?: string;
}

/** What a replica has seen since it was booted. */
export interface Report {
  readonly runs: readonly Run[];
  readonly firings: readonly Firing[];
  /** Log lines that are more than a detail, after the boot. */
  readonly logged: readonly string[];
  /** The quiet ones. */
  readonly details: readonly string[];
}

/** Monotonic, and the same for all processes of a machine: Linux and macOS count it from their own start. */
export function sharedNowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** The date of a tick, in epoch ms, on every replica's own clock. */
export function dateOf(tick: number): number {
  return Date.UTC(2030, 0, 1) + tick * 1000;
}
