import type { Holder } from './ports/lock-node.js';
import { count, majorityOf, type Vote } from './vote.js';

/**
 * What the votes on one question say.
 *
 * - `won`: a majority has granted.
 * - `held`: one other holder has a majority.
 * - `contested`: a majority of the servers has answered, and no contender has a majority as far as these votes tell. The
 *   leader keeps its votes, the others give theirs back.
 * - `unreachable`: so many servers have failed that no contender can get a majority.
 */
export type AcquireVerdict =
  | { readonly kind: 'won' }
  | { readonly kind: 'unreachable' }
  | { readonly kind: 'held'; readonly holder: Holder }
  | { readonly kind: 'contested'; readonly holder: Holder; readonly leading: boolean };

/**
 * The verdict on an acquire, as soon as there is one: `undefined` asks for more votes, `'undecided'` says that another contender
 * has votes, too, and that the missing ones make the difference: between won, held and contested, or in who leads. That is
 * only worth a short wait.
 *
 * Held and contested must not be mixed up: three replicas that split the votes of three servers would all skip the job,
 * each believing that another one runs it. Nor must contested and unreachable: where no majority of the servers answers, no
 * contender can win, so none has a reason to believe that another one will run the job.
 */
export function acquireVerdict(
  votes: readonly Vote[],
  servers: number,
  token: string,
): AcquireVerdict | 'undecided' | undefined {
  const majority = majorityOf(servers);
  const granted = count(votes, 'granted');
  const answered = granted + count(votes, 'denied');
  const pending = servers - votes.length;
  if (granted >= majority) return { kind: 'won' };
  if (answered + pending < majority) return { kind: 'unreachable' };
  if (answered < majority) return undefined;
  if (granted + pending >= majority) {
    // Not known yet, but where another contender has votes the missing ones may never come: a contender that waits for a
    // stalled server would keep its own votes from those that could settle it with the servers that are up.
    return count(votes, 'denied') > 0 ? 'undecided' : undefined;
  }

  const rival = strongestRival(votes);
  if (rival === undefined)
    throw new Error('A vote without denials was neither won nor unreachable. Please report this.');
  if (rival.votes >= majority) {
    return { kind: 'held', holder: { ...rival.holder, remainingMs: majorityFreeInMs(votes, servers) } };
  }
  const leading = leads(token, granted, { ...rival, votes: rival.votes + pending });
  const mayStillLead = leads(token, granted + pending, rival);
  if (pending > 0 && (rival.votes + pending >= majority || leading !== mayStillLead)) return 'undecided';
  return { kind: 'contested', holder: rival.holder, leading };
}

/**
 * When a majority of the servers will have forgotten what they have on the key. One that has carried out a release late keeps the
 * lock for longer than the others: nothing waits for it. One that has not answered may be free already.
 */
function majorityFreeInMs(votes: readonly Vote[], servers: number): number {
  const freeInMs = votes.flatMap((vote) => {
    if (vote.outcome === 'granted') return 0;
    return vote.outcome === 'denied' ? vote.holder.remainingMs : [];
  });
  const unanswered = Array.from({ length: servers - votes.length }, () => 0);
  return [...freeInMs, ...unanswered].sort((one, other) => one - other)[majorityOf(servers) - 1] ?? 0;
}

/**
 * The verdict when the missing votes did not come in time: what is not known to be held is contested.
 *
 * @param rivalMayLead whether the missing votes count for the rival, when it is worked out who leads
 */
export function acquireVerdictSoFar(
  votes: readonly Vote[],
  servers: number,
  token: string,
  rivalMayLead = false,
): AcquireVerdict | undefined {
  const verdict = acquireVerdict(votes, servers, token);
  if (verdict !== 'undecided') return verdict;
  const rival = strongestRival(votes);
  if (rival === undefined) return undefined;
  const missing = rivalMayLead ? servers - votes.length : 0;
  const leading = leads(token, count(votes, 'granted'), { ...rival, votes: rival.votes + missing });
  return { kind: 'contested', holder: rival.holder, leading };
}

/** Whether these votes leave it open that they are a majority: then somebody else may have seen one, and waits for us. */
export function mayHaveMajority(votes: readonly Vote[], servers: number): boolean {
  return servers - count(votes, 'denied') >= majorityOf(servers);
}

interface Rival {
  readonly holder: Holder;
  readonly votes: number;
}

/** Most votes first, and among equals the smallest token: an order that every contender works out alike. */
function strongestRival(votes: readonly Vote[]): Rival | undefined {
  const rivals = new Map<string, Rival>();
  for (const vote of votes) {
    if (vote.outcome !== 'denied') continue;
    const { holder } = vote;
    rivals.set(holder.token, { holder, votes: (rivals.get(holder.token)?.votes ?? 0) + 1 });
  }
  let strongest: Rival | undefined;
  for (const rival of rivals.values()) {
    if (strongest === undefined || leads(rival.holder.token, rival.votes, strongest)) strongest = rival;
  }
  return strongest;
}

function leads(token: string, votes: number, rival: Rival): boolean {
  return votes > rival.votes || (votes === rival.votes && token < rival.holder.token);
}

/**
 * What the votes on an extension say.
 *
 * - `renewed`: a majority still had the lock.
 * - `lost`: so many servers have forgotten it, or given it to somebody else, that no majority can still have it.
 * - `unknown`: too few answers. The old validity goes on.
 */
export type Renewal = 'renewed' | 'lost' | 'unknown';

export function extendVerdict(votes: readonly Vote[], servers: number): Renewal | undefined {
  const majority = majorityOf(servers);
  if (count(votes, 'renewed') >= majority) return 'renewed';
  const gone = count(votes, 'absent') + count(votes, 'taken');
  if (servers - gone < majority) return 'lost';
  // Where some have forgotten it, the others may be about to say the same, and a loss cannot be known too early.
  const hopeless = servers - gone - count(votes, 'failed') < majority;
  return hopeless && (gone === 0 || votes.length === servers) ? 'unknown' : undefined;
}

/**
 * A fencing token is agreed on when a majority of all servers has confirmed it, of the `asked` that were counted for it.
 */
export function confirmVerdict(
  votes: readonly Vote[],
  asked: number,
  servers: number,
): 'confirmed' | 'unconfirmed' | undefined {
  const majority = majorityOf(servers);
  const confirmed = count(votes, 'confirmed');
  if (confirmed >= majority) return 'confirmed';
  if (confirmed + asked - votes.length < majority) return 'unconfirmed';
  return undefined;
}

/** A question to which every answer matters. */
export function completeVerdict(votes: readonly Vote[], servers: number): 'complete' | undefined {
  return votes.length === servers ? 'complete' : undefined;
}

/**
 * What the votes on a release say.
 *
 * - `released`: a majority has nothing of the lock any more, so it keeps no other process out.
 * - `gone`: so many servers did not have it any more that no majority can have had it.
 * - `unknown`: too few answers.
 *
 * `'undecided'`: it is released, some servers did not have it any more, and the missing votes may show that it was gone.
 */
export function releaseVerdict(votes: readonly Vote[], servers: number): Release | 'undecided' | undefined {
  const majority = majorityOf(servers);
  const gone = votes.filter((vote) => vote.outcome === 'released' && vote.gone === true).length;
  if (servers - gone < majority) return 'gone';
  if (count(votes, 'released') >= majority) {
    const pending = servers - votes.length;
    return gone > 0 && servers - gone - pending < majority ? 'undecided' : 'released';
  }
  if (servers - count(votes, 'failed') < majority) return 'unknown';
  return undefined;
}

/** The verdict when the missing votes did not come in time. */
export function releaseVerdictSoFar(votes: readonly Vote[], servers: number): Release | undefined {
  const verdict = releaseVerdict(votes, servers);
  return verdict === 'undecided' ? 'released' : verdict;
}

export type Release = 'released' | 'gone' | 'unknown';
