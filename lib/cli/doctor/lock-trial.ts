import type { Claim, LockNode, NodeReply } from '../../core/ports/lock-node.js';
import { askNode } from './ask-node.js';

/** A step of a trial that did not succeed, and what the server said. */
export interface TrialFailure {
  readonly step: 'acquire' | 'extend' | 'inspect' | 'release';
  readonly message: string;
}

/** What each step must come to. */
const STEPS = { acquire: 'granted', extend: 'renewed', inspect: 'seen', release: 'released' } as const;

/**
 * Takes a lock on one server with the script of real locks, extends it, looks at it and gives it back. So each command of the script
 * is tried, with keys and counters of the names that locks have: the server's own trial (`ServerWatch`) has one key only.
 *
 * Rejects where the connection breaks.
 */
export async function tryLock(
  node: Pick<LockNode, 'execute'>,
  claims: readonly Claim[],
  token: string,
): Promise<TrialFailure | undefined> {
  let failure: TrialFailure | undefined;
  for (const step of Object.keys(STEPS) as (keyof typeof STEPS)[]) {
    // A lock that was refused is given back all the same: one of its keys may have been written.
    if (failure !== undefined && step !== 'release') continue;
    // With `waited` the claims say that a process waits for them, so the release publishes.
    const reply = await askNode(node, {
      ...{ kind: step, owner: 'redlock-nestjs doctor', waited: true },
      // To the holder's own token the script would answer that no other process has the key.
      token: step === 'inspect' ? '-' : token,
      claims: step === 'release' ? claims.map((claim) => ({ ...claim, ttlMs: 0 })) : claims,
    });
    const message = complaintAbout(step, reply, token);
    if (message !== undefined) failure ??= { step, message };
  }
  return failure;
}

function complaintAbout(step: keyof typeof STEPS, reply: NodeReply, token: string): string | undefined {
  if (reply.outcome === 'failed') return reply.cause.message;
  const isExpected = reply.outcome === STEPS[step];
  const isOwn = reply.outcome !== 'seen' || reply.holder.token === token;
  return isExpected && isOwn ? undefined : `the lock script answered "${reply.outcome}"`;
}
