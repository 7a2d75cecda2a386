import { LockContendedError, QuorumUnreachableError } from '../../core/errors/index.js';
import type { Quorum } from '../../core/quorum.js';
import { Refusal } from '../../core/refusal.js';
import { readRegisters, type JobKeys } from '../../core/registers.js';
import { toJobRecord } from './job-record.js';

/** For a run that begins without an acquire, in which the servers would deny it while its job is paused. */
export async function whyPaused(quorum: Quorum, keys: JobKeys): Promise<Refusal | undefined> {
  const { named } = keys;
  try {
    const votes = await readRegisters(quorum, keys, 'majority');
    const { pausedLeftMs: remainingMs, reason: owner } = toJobRecord(votes, quorum.clock.wallMs());
    if (remainingMs === 0) return undefined;
    return new Refusal('paused', () => new LockContendedError(named, { owner, remainingMs }, votes, 'paused'));
  } catch (error) {
    if (error instanceof QuorumUnreachableError) return new Refusal('unreachable', () => error);
    throw error;
  }
}
