import type { Holder } from '../ports/lock-node.js';
import type { Vote } from '../vote.js';
import { quoted, RedlockError } from './redlock.error.js';

/**
 * Somebody else holds the lock, or has run the tick that was asked for.
 *
 * @publicApi
 */
export class LockContendedError extends RedlockError {
  readonly code = 'LOCK_CONTENDED';

  /** Who holds it: `hostname:pid`, or what that process has set as its `owner`. */
  readonly owner: string;

  /** For how much longer, in milliseconds, unless the holder extends or releases it. */
  readonly remainingMs: number;

  /** Whether nobody is known to hold it: the vote was split between several, and the time was over before one had won. */
  readonly undecided: boolean;

  constructor(keys: readonly string[], holder: Holder, votes: readonly Vote[], what: 'held' | 'contested' | 'tick') {
    super(describe(keys, holder, what), keys, votes);
    this.owner = holder.owner;
    this.remainingMs = holder.remainingMs;
    this.undecided = what === 'contested';
  }
}

function describe(
  keys: readonly string[],
  { owner, remainingMs }: Holder,
  what: 'held' | 'contested' | 'tick',
): string {
  const name = quoted(keys);
  switch (what) {
    case 'held':
      return `${name} is locked by ${owner} for another ${Math.ceil(remainingMs)} ms.`;
    case 'contested':
      return `${name} was contested by ${owner} until the time to wait was over.`;
    case 'tick':
      return `This tick of ${name} has been claimed by ${owner}.`;
    default:
      return what satisfies never;
  }
}
