import { describe, expect, it } from '@jest/globals';
import { quarantines, toEvents } from '../../chaos/assemble/absent.js';

const LOSS = { server: 0, fromMs: 1_000, backAtMs: 2_000 };

function untilMs(pauses: readonly (readonly [number, number])[], links: readonly (readonly [number, number])[] = []) {
  const absences = links.map(([fromMs, toMs]) => ({ server: 0, why: 'in trouble with replica 1', fromMs, toMs }));
  return quarantines(
    [LOSS],
    absences,
    pauses.map(([fromMs, toMs]) => ({ fromMs, toMs })),
    5_000,
  )[0]?.toMs;
}

describe('P12: the time for which a server is not trusted', () => {
  it('begins when everybody has noticed the loss', () => {
    expect(untilMs([])).toBe(2_000 + 1_500 + 5_000);
  });

  it('is longer where a replica stood still, or could not reach it, until later', () => {
    expect(untilMs([[500, 6_000]])).toBe(6_000 + 1_500 + 5_000);
    expect(untilMs([], [[1_500, 4_000]])).toBe(4_000 + 1_500 + 5_000);
    expect(
      untilMs([
        [500, 3_000],
        [4_000, 7_000],
      ]),
    ).toBe(7_000 + 1_500 + 5_000);
  });

  it('is no longer for what came before the loss, after it was noticed, or took a moment', () => {
    expect(
      untilMs([
        [100, 900],
        [3_600, 9_000],
        [2_100, 2_300],
      ]),
    ).toBe(2_000 + 1_500 + 5_000);
  });
});

describe('the absences of a server', () => {
  it('are one, from the first reason to the last', () => {
    const absences = [
      { server: 1, why: 'dead', fromMs: 10, toMs: 30 },
      { server: 1, why: 'not trusted', fromMs: 20, toMs: 90 },
      { server: 1, why: 'stalled', fromMs: 100, toMs: 900 },
      { server: 0, why: 'slow', fromMs: 50, toMs: 60 },
    ];
    expect(toEvents(absences, 500).map(({ server, status, atMs }) => [server, status, atMs])).toEqual([
      [1, 'away', 10],
      [1, 'up', 90],
      [1, 'away', 100],
      [0, 'away', 50],
      [0, 'up', 60],
    ]);
  });
});
