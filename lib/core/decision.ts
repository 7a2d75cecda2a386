import type { Won } from './grant.js';
import type { AcquireVerdict } from './verdicts.js';
import type { Vote } from './vote.js';

/**
 * What one round came to: every server was asked once.
 *
 * - `late`: a majority has granted, but the validity was over before it was known, or the machine was suspended meanwhile; or the time was over in which the claims
 *   of a tick that has run are still there.
 * - `unconfirmed`: a majority has granted, and too few of them were still there to agree on a fencing token.
 */
export type Decision = {
  readonly votes: readonly Vote[];
  /** How long the servers took to come to it. */ readonly roundMs?: number;
  /** How often every server was asked. */ readonly rounds?: number;
} & (Exclude<AcquireVerdict, { kind: 'won' }> | { readonly kind: 'late' | 'unconfirmed' } | Won);
