import type { AcquirePlan } from './acquire.js';
import { runUndone } from './run-note.js';
import type { Quorum } from './quorum.js';

/** Takes everything of this token back, the tick included, from every server that may have got it, and waits for no answer. */
export function undo({ queues, rules }: Quorum, plan: AcquirePlan, token: string, { tell }: { tell: boolean }): void {
  const keys = plan.tick === undefined ? plan.claims : [plan.tick, ...plan.claims];
  const claims = keys.map(({ key }) => ({ key, ttlMs: 0, channel: tell ? key : undefined }));
  const job = plan.job && runUndone(plan.job);
  for (const queue of queues) queue.send({ kind: 'release', token, owner: rules.owner, claims, job });
}
