import type { NodeReply, NodeRequest } from '../core/ports/lock-node.js';
import { CounterError } from './lock-script-reply.js';

/** Where to try whether a server takes what a lock writes: a key, and a counter where locks have one. */
export interface TrialPlace {
  readonly key: string;
  readonly counter?: string | undefined;
}

/** A trial lock is released at once. If the release does not arrive, the lock expires after this time. */
const TRIAL_MS = 1000;

/** Take and release a lock that is no process's. */
export function trialRequests(token: string, { key, counter }: TrialPlace): readonly NodeRequest[] {
  const claims = [{ key: `${key}:${token}`, ttlMs: TRIAL_MS, counter }];
  return (['acquire', 'release'] as const).map((kind) => ({ kind, token, owner: 'trial', claims }));
}

/** Why the server refuses to write, if it does. A counter that is broken concerns its own key only. */
export function refusalIn(reply: NodeReply | undefined): Error | undefined {
  const isRefused = reply?.outcome === 'failed' && reply.reason === 'refused';
  return isRefused && !(reply.cause instanceof CounterError) ? reply.cause : undefined;
}
