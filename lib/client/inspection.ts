import { majorityOf, type Vote } from '../core/vote.js';
import type { LockInspection, ServerInspection } from '../interfaces/index.js';

/** The servers' answers to "who has this key?", for people. */
export function toInspection(key: string, votes: readonly Vote[]): LockInspection {
  const carriers = new Map<string, number>();
  for (const vote of votes) {
    if (vote.outcome === 'seen') carriers.set(vote.holder.token, (carriers.get(vote.holder.token) ?? 0) + 1);
  }
  const majority = votes.flatMap((vote) =>
    vote.outcome === 'seen' && (carriers.get(vote.holder.token) ?? 0) >= majorityOf(votes.length) ? [vote.holder] : [],
  );
  const [holder] = majority;
  return {
    key,
    held: holder !== undefined,
    ...(holder && {
      owner: holder.owner,
      remainingMs: Math.max(...majority.map((each) => each.remainingMs)),
      fencingToken: Math.max(...majority.map((each) => each.fence)),
    }),
    servers: votes.toSorted((one, other) => one.position - other.position).map(toServerInspection),
  };
}

/** The servers with the token that most of them have. */
export function carriersIn(servers: readonly ServerInspection[]): readonly ServerInspection[] {
  const held = servers.filter(({ state }) => state === 'held');
  const groups = held.map((first) => held.filter(({ token }) => token === first.token));
  return groups.toSorted((one, other) => other.length - one.length)[0] ?? [];
}

/** How many servers have not answered, where one holder may have a majority with them; 0 where that is not so, or one has it without them. */
export function undecidedBy({ held, servers }: Pick<LockInspection, 'held' | 'servers'>): number {
  const unanswered = servers.filter(({ state }) => state === 'unknown').length;
  return !held && carriersIn(servers).length + unanswered >= majorityOf(servers.length) ? unanswered : 0;
}

function toServerInspection(vote: Vote): ServerInspection {
  const { server } = vote;
  switch (vote.outcome) {
    case 'seen': {
      const { owner, remainingMs, token, fence } = vote.holder;
      return { server, state: 'held', owner, remainingMs, token, fencingToken: fence };
    }
    case 'failed':
      return { server, state: 'unknown', cause: vote.cause.message };
    default:
      return { server, state: 'free' };
  }
}
