import type { Clock } from './ports/clock.js';
import type { Claim } from './ports/lock-node.js';

/** Fencing numbers are below this: JavaScript and Lua count exactly up to 2^53, and the time of day in microseconds reaches it in 2255. */
export const FENCING_LIMIT = 9e15;

/** Whether a server's number can be a fencing token: another program may have written anything in its place. */
export function isFencingNumber(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < FENCING_LIMIT;
}

/** For how long a server remembers a counter after a grant: for the retention, and always for longer than it keeps the claim. */
export function counterLifeMs({ ttlMs, quarantineMs = 0, retentionMs = 0 }: Claim): number {
  return Math.ceil(Math.max(1, retentionMs, 2 * ttlMs, 2 * quarantineMs));
}

/** A clock that is further ahead than this is wrong for certain, and so is a number that was taken from it. */
const FARTHEST_AHEAD_MS = 365 * 24 * 3600 * 1000;

/**
 * Where the counter of a key begins that no server remembers (P2): the time of day of this process in microseconds, and never
 * below a fencing token that this process has had, because its clock may have been set back since. All servers begin at this
 * number, so they agree in the first round trip.
 */
export class FencingStart {
  #highest = 0;

  constructor(private readonly clock: Pick<Clock, 'wallMs'>) {}

  next(): number {
    const nowUs = Math.floor(this.clock.wallMs() * 1000);
    // One below the limit is left for the grant.
    return Math.max(this.#highest, isFencingNumber(nowUs + 1) ? nowUs : 0);
  }

  /** A token of any key. One that is years ahead was written by somebody: it must not spread to other keys. */
  note(token: number): void {
    const mostUs = (this.clock.wallMs() + FARTHEST_AHEAD_MS) * 1000;
    if (token > this.#highest && token < Math.min(mostUs, FENCING_LIMIT - 1)) this.#highest = token;
  }
}
