import { completeVerdict } from './verdicts.js';
import { askServers } from './ask-servers.js';
import type { Quorum } from './quorum.js';
import type { Vote } from './vote.js';

/** Nobody has this token: every holder is somebody else. */
const NOBODY = '-';

/** Asks every server who has the key, and waits for all of them, within one node timeout. It changes nothing. */
export async function inspect(quorum: Quorum, key: string): Promise<readonly Vote[]> {
  return await askAll(quorum, 'inspect', key, NOBODY);
}

/** What came of a removal, and whose locks were to be removed. */
export interface Removal {
  readonly votes: readonly Vote[];
  readonly tokens: ReadonlySet<string>;
}

/**
 * Deletes the locks that the servers have on the key, of any holder, within two node timeouts. First they are asked whom
 * they see, and then all at once to delete these very locks, also those that did not see them: a command that is held up on
 * its way must not take the lock of the next holder, and a holder that heals its lock meanwhile must not keep it.
 */
export async function remove(quorum: Quorum, key: string): Promise<Removal> {
  const { queues } = quorum;
  const seen = await inspect(quorum, key);
  const tokens = new Set(seen.flatMap((vote) => (vote.outcome === 'seen' ? [vote.holder.token] : [])));
  const removals = [...tokens].map((token) => askAll(quorum, 'remove', key, token));
  const rounds = [seen, ...(await Promise.all(removals))];
  const votes = queues.flatMap((_, position) => {
    const own = rounds.flatMap((round) => round[position] ?? []);
    return own.find(({ outcome }) => outcome === 'released') ?? own.at(-1) ?? [];
  });
  return { votes, tokens };
}

async function askAll(
  quorum: Quorum,
  kind: 'inspect' | 'remove',
  key: string,
  token: string,
): Promise<readonly Vote[]> {
  const { owner, nodeTimeoutMs } = quorum.rules;
  const request = { kind, token, owner, claims: [{ key, ttlMs: 0, channel: key }] } as const;
  return (await askServers(quorum, request, nodeTimeoutMs, { verdictOf: completeVerdict })).votes;
}
