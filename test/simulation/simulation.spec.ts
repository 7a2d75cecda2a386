import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { CheckerName } from '../history/events.js';
import { playBatch, type BatchResult } from './batch.js';
import { FOUND_SEEDS } from './found-seeds.js';
import { play } from './schedule.js';
import { MUTANTS } from './mutants/mutants.js';
import { simulate, type SimulationResult } from './simulate.js';

/** A fixed share: the same seeds each time, so that a failure here is one everywhere. `npm run test:long` plays more of
 * them, `npm run sim` others. */
const SEEDS = Number(process.env.REDLOCK_SEEDS ?? 2000);

describe('the simulation', () => {
  let result: SimulationResult;
  let again: BatchResult;
  beforeAll(async () => {
    result = await simulate({ from: 1, seeds: SEEDS, workers: 2 });
    again = await playBatch(
      FOUND_SEEDS.map(({ seed }) => seed),
      () => true,
    );
  }, 600_000);

  it('P1 to P15: finds nothing wrong in a fixed share of seeds', () => {
    expect(result.failures).toEqual([]);
    expect(result.tally.schedules).toBe(SEEDS);
  });

  it('finds nothing wrong any more with seeds that have found something once', () => {
    expect(again.failures).toEqual([]);
  });

  it.each<[CheckerName, number]>([
    ['mutual exclusion', 4],
    ['fencing order', 4],
    ['one run a tick', 0.5],
    ['no lost tick', 0.2],
    ['settles in time', 15],
    ['no ghost', 3],
    ['nothing left', 3],
    ['signal in time', 5],
    ['no starvation', 6],
    ['events agree', 0.02],
    ['paused jobs stay', 0.15],
    ['no run lost by a pause', 0.3],
    ['register is fresh', 0.8],
    ['died only without an end', 1.5],
    ['covered ticks stay', 0.05],
    ['again once', 0.1],
  ])('gives the checker of "%s" at least %d things a schedule to judge', (checker, least) => {
    const tally = result.tally.checkers[checker];
    expect((tally?.judged ?? 0) / SEEDS).toBeGreaterThan(least);
    expect(tally).toMatchObject({ violated: 0, incomplete: 0 });
  });

  it.each([
    ['granted', 5],
    ['refused: LOCK_CONTENDED', 3],
    ['refused: QUORUM_UNREACHABLE', 0.5],
    ['refused: CANCELLED', 0.2],
    ['extended', 2],
    ['aborted: expired', 0.3],
    ['aborted: taken', 0.01],
    ['aborted: shutdown', 0.003],
    ['taken over from one who had lost it', 0.2],
    ['tick run', 0.4],
    ['tick skipped', 0.8],
    ['pause: done', 0.15],
    ['resume: done', 0.1],
    ['schedule: paused', 0.1],
    ['manual: run', 0.06],
    ['catch-up: run', 0.01],
    ['catch-up: already-ran', 0.03],
    ['again: run', 0.02],
    ['again: already-ran', 0.06],
    ['run shown as died', 0.15],
    ['job shown as paused', 0.15],
    ['data lost', 0.5],
    // Put back on a server that had lost it; refused because of a marker; confirmed after a write-back.
    ['script E 2', 0.3],
    ['script A 3', 0.3],
    ['script C 1', 2],
    ['fault stall', 0.12],
    ['fault pause', 0.2],
    ['fault kill', 0.05],
    ['fault partition', 0.05],
    ['fault lose', 0.2],
    ['started after a loss', 0.02],
    ['command copied', 2],
  ])('makes it happen often enough: %s, %d a schedule', (what, least) => {
    expect((result.tally.coverage[what] ?? 0) / SEEDS).toBeGreaterThan(least);
  });

  it('plays the same schedule from the same seed, also in another process', async () => {
    for (const seed of [1, 2, 3]) {
      const [one, other] = [await play(seed), await play(seed)];
      expect(JSON.stringify(one.history)).toBe(JSON.stringify(other.history));
    }
    const alone = await simulate({ from: 1, seeds: 40, workers: 1 });
    const shared = await simulate({ from: 1, seeds: 40, workers: 2 });
    expect(shared.tally).toEqual(alone.tally);
  });
});

describe('the mutants', () => {
  it.each(MUTANTS)('can be put into the code: $name', ({ file, text, becomes }) => {
    expect(readFileSync(file, 'utf8').split(text)).toHaveLength(2);
    expect(becomes).not.toBe(text);
  });

  it('are at least 25, each with a name of its own', () => {
    expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length);
    expect(MUTANTS.length).toBeGreaterThanOrEqual(25);
  });
});
