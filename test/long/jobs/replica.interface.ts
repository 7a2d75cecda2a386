/** What the test asks of a replica. */
export type Command =
  /** Answered as soon as the process has loaded all it needs. */
  | { readonly kind: 'load' }
  | {
      readonly kind: 'boot';
      readonly servers: readonly string[];
      readonly jobs: JobsName;
      /** Where the replica writes of each run, also when it is killed in the middle. */
      readonly file: string;
    }
  | { readonly kind: 'pause' | 'resume' | 'runNow' | 'history'; readonly job: string }
  /** Many jobs that are all due at one instant. */
  | { readonly kind: 'add'; readonly dueAtMs: number; readonly spread: number }
  | { readonly kind: 'list' }
  | { readonly kind: 'close' };

export type JobsName = 'Often' | 'Missing' | 'Dying' | 'None';

/** One line of the file. */
export interface Line {
  readonly what: 'begun' | 'ended';
  readonly job: string;
  readonly pid: number;
  readonly atMs: number;
  readonly tickMs?: number;
  readonly late?: boolean;
  readonly fencingToken: number;
}

export const MANY = 300;
