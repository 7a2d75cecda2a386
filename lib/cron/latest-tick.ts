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
 * A job that is on time costs two questions to the calendar, a late one whose ticks are regular costs four; thousands of
 * ticks within a window, or years without one, cost some tens.
 */
export function latestTick(nextTick: NextTick, limitMs: number): Tick {
  const firstMs = nextTick(limitMs - SECOND_MS);
  return upTo(limitMs, nextTick, firstMs > limitMs ? someTickBefore(firstMs, nextTick) : firstMs);
}

/** Strides back from a tick until an earlier one comes into view: first by the period that follows, a good guess. */
function someTickBefore(tickMs: number, nextTick: NextTick): number {
  for (let backMs = nextTick(tickMs) - tickMs + SECOND_MS; ; backMs *= STRIDE) {
    const earlierMs = nextTick(tickMs - backMs);
    if (earlierMs < tickMs) return earlierMs;
    if (!(backMs < LONGEST_PAUSE_MS)) throw new Error(noTickBefore(tickMs));
  }
}

/** From a tick on, halves what lies between it and the limit until the latest is left. */
function upTo(limitMs: number, nextTick: NextTick, tickMs: number): Tick {
  let atMs = tickMs;
  // Between this and the limit there is no tick.
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

function noTickBefore(tickMs: number): string {
  return `The cron expression has no tick in the years before ${new Date(tickMs).toISOString()}, yet its job was fired.`;
}
