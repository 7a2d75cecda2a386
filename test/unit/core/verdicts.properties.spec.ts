import { describe, it } from '@jest/globals';
import {
  acquireVerdict,
  acquireVerdictSoFar,
  confirmVerdict,
  completeVerdict,
  releaseVerdict,
  extendVerdict,
  type AcquireVerdict,
} from '../../../lib/core/verdicts.js';
import type { Holder } from '../../../lib/core/ports/lock-node.js';
import { majorityOf, type Vote } from '../../../lib/core/vote.js';

/** Servers up to which everything is tried out: all votes that they can cast, in all orders in which these can arrive. */
const MOST = 9;
/** Our token, in order between those of the rivals. */
const ME = 'm';

/**
 * Every sequence of votes of so many servers, each with the verdict at every length. What the verdict needs of a vote is
 * its outcome alone, so that the sequences are all votes in all orders.
 */
function forEachCourse<V>(
  servers: number,
  letters: string,
  judgeOf: (votes: readonly Vote[]) => V,
  check: (cast: string, verdicts: readonly V[]) => void,
): void {
  const votes: Vote[] = [];
  const verdicts: V[] = [judgeOf(votes)];
  const go = (cast: string): void => {
    if (cast.length === servers) {
      check(cast, verdicts);
      return;
    }
    for (const letter of letters) {
      votes.push(voteOf(letter));
      verdicts.push(judgeOf(votes));
      go(cast + letter);
      votes.pop();
      verdicts.pop();
    }
  };
  go('');
}

const from = { server: 's', position: 0 };
const held = (token: string): Holder => ({ key: 'k', token, owner: token, fence: 0, remainingMs: 10 });
const denied = (token: string): Vote => ({ ...from, outcome: 'denied', holder: held(token) });

const VOTES: Readonly<Record<string, Vote>> = {
  G: { ...from, outcome: 'granted', fence: 0 },
  F: { ...from, outcome: 'failed', reason: 'timeout', cause: new Error('late') },
  R: { ...from, outcome: 'renewed' },
  A: { ...from, outcome: 'absent' },
  C: { ...from, outcome: 'confirmed' },
  D: { ...from, outcome: 'released' },
  T: { ...from, outcome: 'taken', holder: held('t') },
  a: denied('a'),
  m: denied('m'),
  z: denied('z'),
};

function voteOf(letter: string): Vote {
  const vote = VOTES[letter];
  if (vote === undefined) throw new Error(`No vote has the letter ${letter}.`);
  return vote;
}

const sizes = Array.from({ length: MOST }, (_, index) => index + 1);
const times = (cast: string, letter: string): number => {
  let sum = 0;
  for (const each of cast) if (each === letter) sum++;
  return sum;
};
/** Throws in place of `expect`, which is too slow for a million questions. */
const must = (so: boolean, what: () => string): void => {
  if (!so) throw new Error(what());
};

/** A verdict, in one word. */
function word(verdict: AcquireVerdict | 'undecided' | undefined): string {
  if (typeof verdict !== 'object') return verdict ?? 'open';
  return verdict.kind === 'held' ? `held by ${verdict.holder.token}` : verdict.kind;
}

describe.each(sizes)('every course of the votes of %i servers', (servers) => {
  const majority = majorityOf(servers);

  it('P1, P7: an acquire is judged early as it is with all votes, and won with a majority of grants alone', () => {
    const judgeOf = (votes: readonly Vote[]): [patient: string, tired: string] => [
      word(acquireVerdict(votes, servers, ME)),
      word(acquireVerdictSoFar(votes, servers, ME)),
    ];
    forEachCourse(servers, 'GFaz', judgeOf, (cast, verdicts) => {
      const say = (): string => `${cast} of ${servers}: ${verdicts.map(String).join(' ')}`;
      const last = expectedOf(cast, servers);
      must(verdicts.at(-1)?.[0] === last, say);
      let granted = 0;
      for (const [n, [verdict, tired]] of verdicts.entries()) {
        if (cast[n - 1] === 'G') granted++;
        must((verdict === 'won') === granted >= majority, say);
        // A judge who is tired of waiting may call it contested, and nothing else.
        must(tired === (verdict === 'undecided' ? 'contested' : verdict), say);
        if (verdict === 'open' || verdict === 'undecided' || verdict === last) continue;
        // What is split already may turn out to have been hopeless besides. For nobody is it more than that.
        must(verdict === 'contested' && last === 'unreachable', say);
      }
    });
  });

  it('P7: who is said to lead a contest, or not to, is with all votes in', () => {
    const judgeOf = (votes: readonly Vote[]): string => {
      const ballot = acquireVerdict(votes, servers, ME);
      return typeof ballot === 'object' && ballot.kind === 'contested' ? `leads: ${ballot.leading}` : word(ballot);
    };
    forEachCourse(servers, 'GFaz', judgeOf, (cast, verdicts) => {
      const last = verdicts.at(-1);
      for (const verdict of verdicts) {
        if (!verdict.startsWith('leads') || last === 'unreachable') continue;
        must(verdict === last, () => `${cast} of ${servers}: ${verdicts.join(', ')}`);
      }
    });
  });

  it('P12: an extension is judged early as it is with all votes, and renewed by a majority that had the lock', () => {
    const judgeOf = (votes: readonly Vote[]): string => extendVerdict(votes, servers) ?? 'open';
    forEachCourse(servers, 'RATF', judgeOf, (cast, verdicts) => {
      const say = (): string => `${cast} of ${servers}: ${verdicts.join(', ')}`;
      const [gone, last] = [times(cast, 'A') + times(cast, 'T'), verdicts.at(-1)];
      must(last === (times(cast, 'R') >= majority ? 'renewed' : servers - gone < majority ? 'lost' : 'unknown'), say);
      let renewed = 0;
      for (const [n, verdict] of verdicts.entries()) {
        if (cast[n - 1] === 'R') renewed++;
        must((verdict === 'renewed') === renewed >= majority, say);
        if (verdict === 'open' || verdict === last) continue;
        // Before anybody has forgotten it: where that shows, all are heard, because it will not show again.
        const heard = [...cast].slice(0, n).join('');
        must(verdict === 'unknown' && last === 'lost' && !/[AT]/.test(heard), say);
      }
    });
  });

  it('P4: a release is judged early as it is with all votes, and done with a majority that has nothing left', () => {
    const judgeOf = (votes: readonly Vote[]): string => releaseVerdict(votes, servers) ?? 'open';
    forEachCourse(servers, 'DF', judgeOf, (cast, verdicts) => {
      const say = (): string => `${cast} of ${servers}: ${verdicts.join(', ')}`;
      must(verdicts.at(-1) === (times(cast, 'D') >= majority ? 'released' : 'unknown'), say);
      for (const verdict of verdicts) must(verdict === 'open' || verdict === verdicts.at(-1), say);
    });
  });

  it('P2: a fencing token is judged early as it is with all votes, and agreed on by a majority of all servers', () => {
    for (let asked = 1; asked <= servers; asked++) {
      const judgeOf = (votes: readonly Vote[]): string => confirmVerdict(votes, asked, servers) ?? 'open';
      forEachCourse(asked, 'CAF', judgeOf, (cast, verdicts) => {
        const say = (): string => `${cast} of ${asked} of ${servers}: ${verdicts.join(', ')}`;
        must(verdicts.at(-1) === (times(cast, 'C') >= majority ? 'confirmed' : 'unconfirmed'), say);
        for (const verdict of verdicts) must(verdict === 'open' || verdict === verdicts.at(-1), say);
      });
    }
  });

  it('is complete with the last vote and no sooner, where every answer matters', () => {
    const judgeOf = (votes: readonly Vote[]): string => completeVerdict(votes, servers) ?? 'open';
    forEachCourse(servers, 'AF', judgeOf, (cast, verdicts) => {
      must(verdicts.lastIndexOf('open') === servers - 1 && verdicts.at(-1) === 'complete', () => cast);
    });
  });

  it('P1, P7: of three contenders for the same servers one wins or leads, and nobody else is said to hold it', () => {
    for (const owners of splits(servers)) {
      const verdicts = [...'amz'].map((token) => ({ token, ...seenBy(token, owners) }));
      const winners = verdicts.filter(({ verdict }) => verdict === 'won').map(({ token }) => token);
      const holders = verdicts.flatMap(({ verdict }) => /^held by (.)/.exec(verdict)?.[1] ?? []);
      const leaders = verdicts.filter(({ leading }) => leading).map(({ token }) => token);
      const say = (): string => `${owners}: ${verdicts.map(({ token, verdict }) => `${token} ${verdict}`).join(', ')}`;
      must(new Set([...winners, ...holders]).size <= 1, say);
      must(winners.length === 0 || holders.length === 2, say);
      const isHopeless = verdicts.some(({ verdict }) => verdict === 'unreachable');
      must(winners.length + leaders.length === (isHopeless ? 0 : 1), say);
    }
  });
});

/** Each server has one of three contenders, or answers nobody. The order does not matter: that is shown above. */
function splits(servers: number): string[] {
  let all = [''];
  for (let n = 0; n < servers; n++) {
    all = all.flatMap((owners) =>
      [...'amzF'].filter((next) => next >= (owners.at(-1) ?? '')).map((next) => owners + next),
    );
  }
  return all;
}

/** The verdict with all votes in, from the numbers and the words of the contract. */
function expectedOf(cast: string, servers: number): string {
  const majority = majorityOf(servers);
  if (times(cast, 'G') >= majority) return 'won';
  if (servers - times(cast, 'F') < majority) return 'unreachable';
  const rival = [...'az'].find((token) => times(cast, token) >= majority);
  return rival === undefined ? 'contested' : `held by ${rival}`;
}

function seenBy(token: string, owners: string): { verdict: string; leading: boolean } {
  const ballot = acquireVerdict(
    [...owners].map((owner) => voteOf(owner === token ? 'G' : owner)),
    owners.length,
    token,
  );
  const leading = typeof ballot === 'object' && ballot.kind === 'contested' && ballot.leading;
  return { verdict: word(ballot), leading };
}
