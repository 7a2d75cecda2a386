/** The first tick strictly after an instant, both in epoch ms. Always later than what it was given. */
export type NextTick = (afterMs: number) => number;

/** A scheduled instant: what a run of a cron job belongs to. */
export interface Tick {
  /** The scheduled instant in epoch ms, the same on every replica. */
  readonly atMs: number;
  /** The distance to the following tick in ms; `Infinity` where there is none. */
  readonly periodMs: number;
}

const SECOND_MS = 1_000;

// Each stride back is so many times longer than the one before: from a second to 34 years it takes eleven.
const STRIDE = 8;

// No expression pauses for longer than from one leap day to the next across a year such as 2100: eight years.
const LONGEST_PAUSE_MS = 9 * 366 * 86_400_000;

/**
 * The latest tick not after `limitMs`, from a calendar that only looks forward.
 *
 * Strides back until a tick comes into view, then halves what lies between it and the limit. A job that is on time costs
 * two questions to the calendar; thousands of ticks in between, or years without one, cost some tens.
 */
export function latestTick(nextTick: NextTick, limitMs: number): Tick {
  let backMs = SECOND_MS;
  let atMs = nextTick(limitMs - backMs);
  while (atMs > limitMs) {
    if (backMs > LONGEST_PAUSE_MS) throw new Error(noTickBefore(limitMs));
    backMs *= STRIDE;
    atMs = nextTick(limitMs - backMs);
  }

  // Between `emptyFromMs` and the limit there is no tick.
  let emptyFromMs = limitMs;
  for (;;) {
    const followingMs = nextTick(atMs);
    if (followingMs > limitMs) return { atMs, periodMs: followingMs - atMs };
    atMs = followingMs;

    const middleMs = Math.floor((atMs + emptyFromMs) / 2);
    const beyondMs = nextTick(middleMs);
    if (beyondMs > limitMs) emptyFromMs = middleMs;
    // The larger of the two, so that each round gets further whatever the calendar answers.
    else atMs = Math.max(atMs, beyondMs);
  }
}

function noTickBefore(limitMs: number): string {
  return `The cron expression has no tick in the years before ${new Date(limitMs).toISOString()}, yet its job was fired.`;
}
