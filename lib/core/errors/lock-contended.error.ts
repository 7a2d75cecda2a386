import type { Holder } from '../ports/lock-node.js';
import { printable } from '../printable.js';
import type { Vote } from '../vote.js';
import { named, quoted, reasonsOf, RedlockError } from './redlock.error.js';

export const REASONS = { held: 'locked', tick: 'already-ran', contested: 'undecided', paused: 'paused' } as const;

/**
 * Another process, or another call in this process, holds the lock, or has run the tick that was asked for.
 *
 * @publicApi
 */
export class LockContendedError extends RedlockError {
  static {
    named(this, 'LockContendedError', 'LOCK_CONTENDED');
  }

  readonly code = 'LOCK_CONTENDED';

  /** Which process holds it: `hostname:pid`, or what that process has set as its `owner`. */
  readonly owner: string;

  /**
   * For how much longer, in milliseconds, unless the holder extends or releases it. Infinity where the key holds something that
   * never expires; `null` in JSON.
   */
  readonly remainingMs: number;

  /**
   * Another process holds the lock (`'locked'`), or has run the tick that was asked for (`'already-ran'`), or the vote was split until
   * the time was over (`'undecided'`), or the job is paused (`'paused'`; then `owner` is the reason that was given for it, and
   * `remainingMs` is Infinity until it is resumed).
   */
  readonly reason: 'locked' | 'already-ran' | 'undecided' | 'paused';

  /** Whether no holder is known: the vote was split between several, and the time was over before one of them had won. */
  readonly undecided: boolean;

  constructor(
    keys: readonly string[],
    holder: Pick<Holder, 'owner' | 'remainingMs'>,
    votes: readonly Vote[],
    what: keyof typeof REASONS,
    /** What else the reader should know; one sentence. */
    hint?: string,
  ) {
    super(contendedMessage(keys, holder, votes, what, hint), keys, votes);
    this.owner = printable(holder.owner);
    this.remainingMs = holder.remainingMs;
    this.reason = REASONS[what];
    this.undecided = what === 'contested';
  }

  override toJSON(): object {
    const { owner, remainingMs, reason, undecided } = this;
    return { ...super.toJSON(), owner, remainingMs, reason, undecided };
  }
}

/** What the error says: a call that skips its work needs no more, and no error is made for it. */
export function contendedMessage(
  keys: readonly string[],
  holder: Pick<Holder, 'owner' | 'remainingMs'>,
  votes: readonly Vote[],
  what: keyof typeof REASONS,
  hint?: string,
): string {
  const message = describe(keys, holder, votes, what);
  return hint === undefined ? message : `${message} ${hint}`;
}

/** No countdown in here: log groupers take messages that differ for different errors. `remainingMs` has it. */
function describe(
  keys: readonly string[],
  { owner, remainingMs }: Pick<Holder, 'owner' | 'remainingMs'>,
  votes: readonly Vote[],
  what: keyof typeof REASONS,
): string {
  const name = quoted(keys);
  const by = printable(owner);
  switch (what) {
    case 'held':
      if (remainingMs < Infinity) return `${name} is locked by ${by}.`;
      return `${name} is blocked by ${by}: its key on the servers never expires. Delete that key, or call forceRelease().`;
    case 'contested': {
      const reasons = reasonsOf(votes).join('; ');
      const silent = reasons === '' ? '' : ` Not all servers took part. ${reasons}.`;
      return `${name} was contested${by === '' ? '' : ` by ${by}`}, and no process had a majority of the servers when the time to wait was over.${silent}`;
    }
    case 'tick':
      // An operator, or a pause, has made its run needless.
      if (by === '') return `This tick of ${name} needs no run any more.`;
      return `This tick of ${name} has been claimed by ${by}.`;
    case 'paused':
      return `${name} is paused${by === '' ? '' : `: ${by}`}.`;
    default:
      return what satisfies never;
  }
}
