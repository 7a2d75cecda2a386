import { judgeEveryone } from './ballot.js';
import { poll } from './poll.js';
import type { Quorum } from './quorum.js';
import type { Vote } from './vote.js';

/** Asks every server who has the key, and waits for all of them, within one node timeout. It changes nothing. */
export async function inspect(quorum: Quorum, key: string): Promise<readonly Vote[]> {
  return await askEveryone(quorum, 'inspect', key);
}

/** Deletes the key on every server, whoever has it, within one node timeout. */
export async function remove(quorum: Quorum, key: string): Promise<readonly Vote[]> {
  return await askEveryone(quorum, 'remove', key);
}

async function askEveryone(quorum: Quorum, kind: 'inspect' | 'remove', key: string): Promise<readonly Vote[]> {
  const { rules } = quorum;
  // Nobody has this token: every holder is somebody else.
  const request = { kind, token: '-', owner: rules.owner, claims: [{ key, ttlMs: 0, channel: key }] } as const;
  const { votes } = await poll(quorum, request, rules.nodeTimeoutMs, { judge: judgeEveryone });
  return votes;
}
