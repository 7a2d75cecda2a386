import { describe, expect, it } from '@jest/globals';
import { acquireVerdict, acquireVerdictSoFar, releaseVerdict, extendVerdict } from '../../../lib/core/verdicts.js';
import { majorityOf, type Vote } from '../../../lib/core/vote.js';

const ME = 'm';

/** One letter a vote: G granted, F failed, and any small letter for a denial by that holder. */
function votes(letters: string): Vote[] {
  return [...letters].map((letter, index): Vote => {
    const server = `node-${index + 1}`;
    if (letter === 'G') return { server, position: index, outcome: 'granted', fence: 0 };
    if (letter === 'F')
      return { server, position: index, outcome: 'failed', reason: 'timeout', cause: new Error('late') };
    return {
      server,
      position: index,
      outcome: 'denied',
      holder: { key: 'k', token: letter, owner: letter, fence: 0, remainingMs: 10 },
    };
  });
}

function verdict(letters: string, servers: number): string | undefined {
  const ballot = acquireVerdict(votes(letters), servers, ME);
  if (typeof ballot !== 'object') return ballot;
  if (ballot.kind === 'held') return `held by ${ballot.holder.token}`;
  return ballot.kind === 'contested' ? `contested, ${ballot.leading ? 'leading' : 'yielding'}` : ballot.kind;
}

describe('the ballot of an acquire', () => {
  it.each([
    [1, 'G', 'won'],
    [2, 'G', undefined],
    [2, 'GG', 'won'],
    [3, 'GG', 'won'],
    [3, 'G', undefined],
    [4, 'GG', undefined],
    [4, 'GGG', 'won'],
    [5, 'GGG', 'won'],
    [5, 'aGbGG', 'won'],
  ])('P4: of %i servers, %s is decided as early as possible: %s', (servers, letters, expected) => {
    expect(verdict(letters, servers)).toBe(expected);
  });

  it.each([
    [1, 'a', 'held by a'],
    [2, 'aa', 'held by a'],
    [3, 'aa', 'held by a'],
    [3, 'aGa', 'held by a'],
    [4, 'aaa', 'held by a'],
    [5, 'aaa', 'held by a'],
    [5, 'GaaFa', 'held by a'],
  ])('P7: of %i servers, %s is a holder with a majority: %s', (servers, letters, expected) => {
    expect(verdict(letters, servers)).toBe(expected);
  });

  it.each([
    [3, [189, 489], 189],
    [3, [489, 189], 189],
    [3, [189, 189, 489], 189],
    [3, [489, 489, 189], 489],
    [4, [100, 200, 300], 200],
    [4, [100, 200, 300, 400], 300],
    [5, [500, 100, 400, 300, 200], 300],
    [2, [100, 200], 200],
    [1, [100], 100],
  ])(
    'P14: of %i servers, with %j ms left on those that answered, a majority is free in %i ms',
    (servers, left, expected) => {
      const cast = left.map((remainingMs, position): Vote => {
        const holder = { key: 'k', token: 'a', owner: 'a', fence: 0, remainingMs };
        return { server: 's', position, outcome: 'denied', holder };
      });
      expect(acquireVerdict(cast, servers, ME)).toMatchObject({
        kind: 'held',
        holder: { token: 'a', remainingMs: expected },
      });
    },
  );

  it.each([
    [2, 'Ga', 'contested, yielding'],
    [2, 'Gz', 'contested, leading'],
    [3, 'Gaz', 'contested, yielding'],
    [3, 'Gyz', 'contested, leading'],
    [4, 'GGaa', 'contested, yielding'],
    [4, 'GGzz', 'contested, leading'],
    [5, 'Gaazz', 'contested, yielding'],
    [5, 'GGayz', 'contested, leading'],
    [4, 'Gaab', 'contested, yielding'],
  ])('P7: of %i servers, %s is a vote that nobody has won: %s', (servers, letters, expected) => {
    expect(verdict(letters, servers)).toBe(expected);
  });

  it.each([
    [1, 'F', 'unreachable'],
    [2, 'F', 'unreachable'],
    [2, 'GF', 'unreachable'],
    [3, 'FF', 'unreachable'],
    [3, 'FGF', 'unreachable'],
    [4, 'FF', 'unreachable'],
    [5, 'FFF', 'unreachable'],
    [5, 'FaF', undefined],
    [5, 'FaFF', 'unreachable'],
    [3, 'aF', undefined],
    [3, 'aFF', 'unreachable'],
  ])('P7: of %i servers, %s rules a majority out by failures alone: %s', (servers, letters, expected) => {
    expect(verdict(letters, servers)).toBe(expected);
  });

  it('waits for more votes where they decide between held and contested, and calls it contested when they do not come', () => {
    expect(verdict('aab', 4)).toBe('undecided');
    expect(verdict('aaG', 4)).toBe('undecided');
    expect(acquireVerdictSoFar(votes('aab'), 4, ME)).toMatchObject({ kind: 'contested', leading: false });
    expect(acquireVerdictSoFar(votes('aa'), 4, ME)).toBeUndefined();
  });

  it('P7: waits for more votes where they decide who leads, and goes by those that it has when they do not come', () => {
    expect(verdict('GaGz', 6)).toBe('undecided');
    expect(acquireVerdictSoFar(votes('GGzz'), 6, ME)).toMatchObject({ kind: 'contested', leading: true });
    expect(verdict('FGzz', 4)).toBe('contested, yielding');
    expect(verdict('FGGz', 4)).toBe('contested, leading');
    expect(verdict('FGGzz', 6)).toBe('undecided');
    expect(verdict('Faabc', 6)).toBe('contested, yielding');
  });

  it.each([
    [2, 'G'],
    [2, 'a'],
    [3, 'aF'],
    [4, 'aa'],
    [4, 'FGz'],
    [5, 'FaF'],
    [5, 'Ga'],
    [6, 'Fabc'],
  ])('P7: of %i servers, %s is no split vote, because less than a majority has answered', (servers, letters) => {
    expect(verdict(letters, servers)).toBeUndefined();
    expect(acquireVerdictSoFar(votes(letters), servers, ME)).toBeUndefined();
    const failed = 'F'.repeat(servers - letters.length);
    const answers = letters.replaceAll('F', '').length;
    if (answers <= servers / 2) expect(verdict(letters + failed, servers)).toBe('unreachable');
  });

  it('P7: exactly one of the contenders of a full split leads, for every number of servers and every split', () => {
    for (let servers = 2; servers <= 7; servers++) {
      forEachSplit(servers, 4, (owners) => {
        const tokens = [...new Set(owners)];
        const verdicts = tokens.map((token) => acquireVerdict(asSeenBy(token, owners), servers, token));
        const kinds = verdicts.map((each) => (typeof each === 'object' ? each.kind : each));
        const leaders = verdicts.filter(
          (each) => typeof each === 'object' && each.kind === 'contested' && each.leading,
        );
        const winners = kinds.filter((kind) => kind === 'won').length;
        expect(winners + leaders.length).toBe(1);
        expect(kinds.includes('held')).toBe(winners === 1 && tokens.length > 1);
      });
    }
  });
});

function asSeenBy(token: string, owners: readonly string[]): Vote[] {
  return votes(owners.map((owner) => (owner === token ? 'G' : owner)).join(''));
}

function forEachSplit(servers: number, contenders: number, check: (owners: readonly string[]) => void): void {
  for (let code = 0; code < contenders ** servers; code++) {
    check(
      Array.from({ length: servers }, (_, index) => 'abcd'[Math.floor(code / contenders ** index) % contenders] ?? 'a'),
    );
  }
}

describe('the ballot of an extension', () => {
  const renewal = (letters: string, servers: number): string | undefined =>
    extendVerdict(
      [...letters].map((letter): Vote => {
        if (letter === 'R') return { server: 's', position: 0, outcome: 'renewed' };
        if (letter === 'A') return { server: 's', position: 0, outcome: 'absent' };
        if (letter === 'F')
          return { server: 's', position: 0, outcome: 'failed', reason: 'timeout', cause: new Error('late') };
        return {
          server: 's',
          position: 0,
          outcome: 'taken',
          holder: { key: 'k', token: 't', owner: 'o', fence: 0, remainingMs: 1 },
        };
      }),
      servers,
    );

  it.each([
    [3, 'RR', 'renewed'],
    [3, 'RA', undefined],
    [3, 'RAR', 'renewed'],
    [3, 'RAA', 'lost'],
    [3, 'AA', 'lost'],
    [3, 'TA', 'lost'],
    [3, 'RAF', 'unknown'],
    [3, 'FF', 'unknown'],
    [3, 'FA', undefined],
    [3, 'FAA', 'lost'],
    [3, 'FAF', 'unknown'],
    [2, 'RA', 'lost'],
    [2, 'RF', 'unknown'],
    [4, 'RRAF', 'unknown'],
    [4, 'RRAA', 'lost'],
    [5, 'RRAAR', 'renewed'],
    [5, 'RRFFA', 'unknown'],
    [1, 'A', 'lost'],
  ])('P12: of %i servers, %s counts what was renewed and nothing else: %s', (servers, letters, expected) => {
    expect(renewal(letters, servers)).toBe(expected);
  });
});

describe('the ballot of a release', () => {
  const released = (letters: string, servers: number): string | undefined =>
    releaseVerdict(
      [...letters].map((letter): Vote => {
        if (letter === 'R') return { server: 's', position: 0, outcome: 'released' };
        if (letter === 'G') return { server: 's', position: 0, outcome: 'released', gone: true };
        return { server: 's', position: 0, outcome: 'failed', reason: 'timeout', cause: new Error('late') };
      }),
      servers,
    );

  it('P4: is done when a majority has confirmed, and unknown when none can', () => {
    expect(released('RR', 3)).toBe('released');
    expect(released('RF', 3)).toBeUndefined();
    expect(released('FF', 3)).toBe('unknown');
    expect(released('RRF', 4)).toBeUndefined();
    expect(released('FF', 4)).toBe('unknown');
  });

  it.each([
    ['GG', 3, 'gone'],
    ['G', 3, undefined],
    ['GR', 3, 'undecided'],
    ['GRF', 3, 'released'],
    ['GRR', 5, 'undecided'],
    ['GRRR', 5, 'released'],
    ['GGG', 5, 'gone'],
    ['GFF', 3, 'unknown'],
    ['GG', 4, 'gone'],
    ['G', 1, 'gone'],
  ])('P10: of those who had nothing of it, %s of %i servers: %s', (letters, servers, expected) => {
    expect(released(letters, servers)).toBe(expected);
  });
});

describe('a majority', () => {
  it('P1: shares a server with every other majority, for even numbers, too', () => {
    for (let servers = 1; servers <= 9; servers++) {
      expect(2 * majorityOf(servers)).toBeGreaterThan(servers);
      expect(2 * (majorityOf(servers) - 1)).toBeLessThanOrEqual(servers);
    }
  });
});
