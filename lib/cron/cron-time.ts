/** What this package uses of a `CronTime`, which is the job's own: whatever version of `cron` fires it also names its ticks. */
export interface CronTimeLike {
  /** The expression; of a job that runs once, its instant. */
  readonly source: unknown;
  /** Whether the job runs once. */
  readonly realDate?: boolean;
  /** The next instant after now, in the job's own zone; with a count, that many of them. */
  sendAt(): Instant;
  sendAt(count: number): Instant[];
  getNextDateFrom(start: Date, zone?: unknown): Instant;
}

/** What this package uses of a luxon `DateTime`. */
export interface Instant {
  readonly zone: Zone;
  toMillis(): number;
}

export interface Zone {
  /** Minutes east of UTC at an instant in epoch ms. */
  offset(atMs: number): number;
}

/**
 * The shortest distance between the next three ticks in ms; `undefined` where `cron` finds fewer within the eight years that it looks ahead, as of a
 * job of 29 February. A schedule with uneven distances may have shorter ones later.
 */
export function shortestPeriodMs(cronTime: CronTimeLike): number | undefined {
  if (cronTime.realDate) return undefined;
  try {
    const [first, second, third] = cronTime.sendAt(3).map((instant) => instant.toMillis()) as [number, number, number];
    return Math.min(second - first, third - second);
  } catch {
    return undefined;
  }
}
