import { confirmVerdict } from './verdicts.js';
import { askServers } from './ask-servers.js';
import type { NodeRequest } from './ports/lock-node.js';
import type { Quorum } from './quorum.js';
import { majorityOf, type Vote } from './vote.js';

/** The fencing token of a grant, or what the servers said instead of confirming it. */
export type Agreement = { readonly fence: number } | { readonly fence: undefined; readonly votes: readonly Vote[] };

/**
 * Makes one fencing token of the numbers under which the servers have granted (P2): the highest of exactly the grants
 * that are counted. Where a majority has granted under that very number, as it does in the steady state, nothing more is
 * to do (see {@link agreedFence}). Otherwise it is written back to the counted servers, each of which takes it only while it
 * carries this grant, and a majority must confirm.
 *
 * Any two grants share a server. There one of them wrote its token while it had the lock, so the other counted on from it.
 * No clock is involved. A grant that comes late is not counted: its number is not below the token.
 */
export async function agreeOnFence(
  { queues, clock }: Quorum,
  request: NodeRequest,
  votes: readonly Vote[],
  timeoutMs: number,
): Promise<Agreement> {
  const servers = queues.length;
  const counted = votes.filter((vote) => vote.outcome === 'granted');
  const fence = highestOf(votes);

  const asked = counted.flatMap(({ position }) => queues[position] ?? []);
  const confirmation = await askServers(
    { queues: asked, clock },
    (index) => ({ ...request, kind: 'confirm', fence, grantedFence: counted[index]?.fence ?? 0 }),
    timeoutMs,
    { verdictOf: (answers, count) => confirmVerdict(answers, count, servers) },
  );
  if (confirmation.verdict === 'confirmed') return { fence };
  const answers = new Map(confirmation.votes.map((vote) => [counted[vote.position]?.position, vote]));
  // What the servers said that were not asked again is in the votes, too: the error names all of them.
  return {
    fence: undefined,
    votes: votes.map((vote) => ({ ...(answers.get(vote.position) ?? vote), position: vote.position })),
  };
}

/** The highest number, where a majority of the servers has granted under it. */
export function agreedFence(votes: readonly Vote[], servers: number): number | undefined {
  const fence = highestOf(votes);
  let agree = 0;
  for (const vote of votes) if (vote.outcome === 'granted' && vote.fence === fence) agree++;
  return agree >= majorityOf(servers) ? fence : undefined;
}

function highestOf(votes: readonly Vote[]): number {
  let highest = -Infinity;
  for (const vote of votes) if (vote.outcome === 'granted') highest = Math.max(highest, vote.fence);
  return highest;
}
