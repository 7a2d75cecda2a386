import type { AcquirePlan } from './acquire.js';
import type { Claim } from './ports/lock-node.js';
import { runUndone } from './run-note.js';
import type { Quorum } from './quorum.js';

interface UndoOptions {
  /** Whether the release is published. */
  readonly tell: boolean;
  /** Whether another process has a majority: then the servers that have not answered are likely to deny. Default: false. */
  readonly isHeld?: boolean;
}

/** Takes everything of this token back, the tick included, from every server that may have got it, and waits for no answer. */
export function undo(quorum: Quorum, plan: AcquirePlan, token: string, { tell, isHeld = false }: UndoOptions): void {
  const { queues, rules } = quorum;
  const claims = claimsToUndo(plan).map(({ key }) => ({ key, ttlMs: 0, channel: tell ? key : undefined }));
  const job = plan.job && runUndone(plan.job);
  const request = { kind: 'release', token, owner: rules.owner, claims, job } as const;
  for (const queue of queues) {
    if (isHeld) queue.releaseUnlessDenied(request);
    else queue.send(request);
  }
}

/**
 * What a run has claimed that does not take place, the tick included. The tick of a second run (`onCrash: 'again'`) stays claimed: its first
 * run has begun, so no replica may run it by its schedule any more.
 */
export function claimsToUndo({ tick, claims, job }: AcquirePlan): readonly Claim[] {
  return tick === undefined || job?.trigger === 'again' ? claims : [tick, ...claims];
}
