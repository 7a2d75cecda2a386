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
 * Deletes the locks that the servers have on the key, within two node timeouts: those of any holder, or only those with one of the
 * tokens in `only`. First the servers are asked which locks they have. Then all are asked at once to delete these very locks, also the
 * servers that did not have them: a delayed command must not remove the lock of the next holder, and a holder that heals its lock
 * meanwhile must not keep it.
 */
export async function remove(quorum: Quorum, key: string, only?: ReadonlySet<string>): Promise<Removal> {
  const { queues } = quorum;
  const seen = await inspect(quorum, key);
  const tokens = new Set(seen.flatMap((vote) => (vote.outcome === 'seen' ? [vote.holder.token] : [])));
  if (only !== undefined) for (const token of tokens) if (!only.has(token)) tokens.delete(token);
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
