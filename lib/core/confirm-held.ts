import { askServers } from './ask-servers.js';
import type { Claim } from './ports/lock-node.js';
import type { Quorum } from './quorum.js';
import { driftMs } from './validity.js';
import { count, majorityOf, type Vote } from './vote.js';

/** Whether a majority of the servers still has a lock, and for how much longer, counted from before they were asked. */
export type Confirmation = { readonly votes: readonly Vote[] } & (
  { readonly kind: 'held'; readonly leftMs: number } | { readonly kind: 'gone' | 'unknown' }
);

/** A token that no lock has: the servers show whatever lock is there. */
const NO_TOKEN = '-';

/**
 * Asks every server whether it still has the lock, and prolongs nothing. Settles within `timeoutMs`.
 *
 * The claims of a lock are asked for one by one, because a server shows the first key only. They travel together.
 */
export async function confirmHeld(
  quorum: Quorum,
  token: string,
  claims: readonly Claim[],
  timeoutMs: number,
): Promise<Confirmation> {
  const answers = await Promise.all(claims.map((claim) => confirmClaim(quorum, token, claim, timeoutMs)));
  const worst = answers.find(({ kind }) => kind === 'gone') ?? answers.find(({ kind }) => kind === 'unknown');
  if (worst !== undefined) return worst;
  const votes = answers.flatMap((answer) => answer.votes);
  let leftMs = Infinity;
  for (const answer of answers) if (answer.kind === 'held') leftMs = Math.min(leftMs, answer.leftMs);
  return { kind: 'held', leftMs, votes };
}

async function confirmClaim(quorum: Quorum, token: string, { key }: Claim, timeoutMs: number): Promise<Confirmation> {
  const { owner, driftFactor } = quorum.rules;
  const request = { kind: 'inspect', token: NO_TOKEN, owner, claims: [{ key, ttlMs: 0 }] } as const;
  const { verdict, votes } = await askServers(quorum, request, timeoutMs, {
    verdictOf: (soFar, servers) => heldVerdict(soFar, servers, token),
  });
  if (verdict !== 'held') return { kind: verdict, votes };
  const left = ours(votes, token).sort((one, other) => other - one);
  // So long a majority has it. A server counts its ttl on its own clock, which may be the faster one.
  const shortestMs = left[majorityOf(quorum.queues.length) - 1] ?? 0;
  // Another program may have taken the ttl away: then the validity that was known before counts.
  const leftMs = shortestMs === Infinity ? Infinity : shortestMs - driftMs(shortestMs, driftFactor);
  return { kind: 'held', leftMs, votes };
}

function heldVerdict(votes: readonly Vote[], servers: number, token: string): Confirmation['kind'] | undefined {
  const majority = majorityOf(servers);
  const held = ours(votes, token).length;
  if (held >= majority) return 'held';
  const failed = count(votes, 'failed');
  const gone = votes.length - held - failed;
  if (servers - gone < majority) return 'gone';
  return votes.length === servers ? 'unknown' : undefined;
}

/** What the servers that have the lock say is left of its ttl, in milliseconds. */
function ours(votes: readonly Vote[], token: string): number[] {
  return votes.flatMap((vote) =>
    vote.outcome === 'seen' && vote.holder.token === token ? [vote.holder.remainingMs] : [],
  );
}
