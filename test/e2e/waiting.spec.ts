import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import { OwnProcess } from '../support/process.js';
import { start, type Fleet } from '../support/fleet.js';
import type { Spell, WaiterQuestion } from './waiting/waiter.interface.js';

const WAITER = new URL('waiting/waiter.ts', import.meta.url);

async function waitersOf(
  fleet: Fleet,
  { processes = 4, waiters = 5, rounds = 1, holdMs = 5, slowMs = 0 },
): Promise<Spell[]> {
  const all = Array.from({ length: processes }, () => new OwnProcess<WaiterQuestion, Spell[]>(WAITER));
  try {
    await Promise.all(all.map((each) => each.ask({ kind: 'boot', urls: fleet.urls })));
    await Promise.all(fleet.servers.map((server) => server.slow(slowMs)));
    const spells = await Promise.all(
      all.map((each) => each.ask({ kind: 'work', urls: fleet.urls, waiters, rounds, holdMs })),
    );
    return spells.flat().sort((one, other) => one.grantedAtMs - other.grantedAtMs);
  } finally {
    await Promise.all(all.map((each) => each.stop()));
  }
}
const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

describe('P14', () => {
  it.each([
    [1, 0, 5],
    [1, 10, 5],
    [1, 20, 5],
    [20, 0, 5],
    [20, 10, 5],
    [20, 10, 0],
  ])(
    '4x5 rounds %i slow %i hold %i',
    async (rounds, slowMs, holdMs) => {
      await using fleet = await start(3);
      const spells = await waitersOf(fleet, { slowMs, rounds, holdMs });
      const gaps = spells.slice(1).map((s, i) => s.grantedAtMs - spells[i]!.releasedAtMs);
      const waits = spells.map((s) => s.grantedAtMs - s.askedAtMs);
      const switches = spells.slice(1).filter((s, i) => s.pid !== spells[i]!.pid).length;
      const far = spells
        .slice(1)
        .flatMap((s, i) => (s.pid !== spells[i]!.pid ? [s.grantedAtMs - spells[i]!.releasedAtMs] : []));
      console.log({
        rounds,
        slowMs,
        holdMs,
        n: spells.length,
        gap: median(gaps),
        maxGap: Math.max(...gaps),
        minGap: Math.min(...gaps),
        far: median(far),
        farMax: Math.max(...far),
        switches,
        wait: median(waits),
        longest: Math.max(...waits),
        order: rounds === 1 ? spells.map((s) => s.pid % 100).join(' ') : '',
      });
      expect(1).toBe(1);
    },
    60_000,
  );
});
