import type { JobPlan } from './acquire.js';
import { PAUSED, type PauseState } from './ports/job-note.js';
import type { Holder } from './ports/lock-node.js';
import type { Quorum } from './quorum.js';
import { steering } from './registers.js';
import type { AcquireVerdict } from './verdicts.js';
import type { Vote } from './vote.js';

/*
 * A job is paused from the moment that a majority of the servers has the pause: any other majority shares a server with it, and that one
 * denies. A server that was away, or has lost its data, may know an older state. So each question about the job compares
 * what the servers know, and brings the newest state to those that are behind.
 */

/** Whether the register of the job has denied, because the job is paused. */
export function isPaused({ key }: Pick<Holder, 'key'>, job: JobPlan | undefined): boolean {
  return key === job?.key;
}

/**
 * What a verdict becomes where the newest state that these votes show is a pause: no vote counts that was given without it. `undefined` leaves the
 * verdict as it is.
 */
export function newestPauseAgainst(
  { kind }: AcquireVerdict,
  votes: readonly Vote[],
  job: JobPlan | undefined,
): { readonly kind: 'held'; readonly holder: Holder } | undefined {
  if (kind !== 'won' && kind !== 'contested') return undefined;
  let newest: Holder | undefined;
  let known = 0;
  for (const vote of votes) {
    if (vote.outcome === 'granted') known = Math.max(known, vote.pauseVersion ?? 0);
    else if (isPauseVote(vote, job)) newest = vote.holder.fence > (newest?.fence ?? 0) ? vote.holder : newest;
    // A server that denies for another reason may know that the job was resumed, and does not say so.
    else if (vote.outcome === 'denied' && kind === 'contested') return undefined;
  }
  return newest !== undefined && newest.fence > known ? { kind: 'held', holder: newest } : undefined;
}

/** Brings the newest state that the votes show to the servers that have shown an older one, and waits for no answer. */
export function repairPause({ queues, rules }: Quorum, job: JobPlan, votes: readonly Vote[]): void {
  let newest: PauseState | undefined;
  for (const vote of votes) {
    const state = stateIn(vote, job);
    if (state !== undefined && state.version > (newest?.version ?? -1)) newest = state;
  }
  if (newest === undefined || newest.version === 0) return;
  for (const vote of votes) {
    const state = stateIn(vote, job);
    if (state === undefined || state.version >= newest.version) continue;
    queues[vote.position]?.send({ ...steering(job.key, rules.owner), pause: newest });
  }
}

function stateIn(vote: Vote, job: JobPlan): PauseState | undefined {
  if (vote.outcome === 'granted') return { version: vote.pauseVersion ?? 0, leftMs: 0, reason: '' };
  if (!isPauseVote(vote, job)) return undefined;
  const { fence: version, remainingMs: leftMs, owner: reason } = vote.holder;
  return { version, leftMs, reason };
}

/** Said by the register of the job. Another program may have put such a value into the place of the lock. */
function isPauseVote(vote: Vote, job: JobPlan | undefined): vote is Vote & { readonly outcome: 'denied' } {
  return vote.outcome === 'denied' && vote.holder.token === PAUSED && isPaused(vote.holder, job);
}
