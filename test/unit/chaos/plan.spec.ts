import { describe, expect, it } from '@jest/globals';
import { FAULTS, type Act } from '../../chaos/plan/faults.js';
import { BOOT_MS } from '../../chaos/plan/fault-budget.js';
import { plan, type PlanRules } from '../../chaos/plan/plan.js';

const GUARD_MS = 5_000;

function rulesFor(seed: number, more: Partial<PlanRules> = {}): PlanRules {
  const sizes = { servers: 3 + (seed % 4), replicas: 3 + (seed % 3), lengthMs: 300_000 };
  const times = { guardMs: GUARD_MS, graceMs: 2_500, clockToleranceMs: 3_000 };
  return { seed, ...sizes, ...times, guarded: true, clocks: true, ...more };
}

const SEEDS = Array.from({ length: 30 }, (_, index) => index + 1);

interface Loss {
  readonly server: number;
  readonly fromMs: number;
  /** When it is back, and trusted again. */
  readonly untilMs: number;
}

function lossesIn(acts: readonly Act[]): Loss[] {
  return acts.flatMap((act, index) => {
    if (act.do === 'flush') return { server: act.server, fromMs: act.atMs, untilMs: act.atMs + GUARD_MS };
    if (act.do !== 'start server' || act.data) return [];
    const died = acts.slice(0, index).findLast((each) => each.do === 'kill server' && each.server === act.server);
    return { server: act.server, fromMs: died!.atMs, untilMs: act.atMs + GUARD_MS };
  });
}

describe('a schedule of faults', () => {
  it('is the same for the same seed, and another one for another', () => {
    expect(plan(rulesFor(1))).toEqual(plan(rulesFor(1)));
    expect(plan(rulesFor(1)).acts).not.toEqual(plan(rulesFor(2)).acts);
  });

  it('has every fault in it, over some seeds', () => {
    const seen = new Set(SEEDS.flatMap((seed) => plan(rulesFor(seed)).acts.flatMap(({ fault }) => fault ?? [])));
    expect([...seen].sort()).toEqual([...FAULTS].sort());
  });

  it('P1: never takes the data of a majority at once', () => {
    for (const seed of SEEDS) {
      const rules = rulesFor(seed);
      const losses = lossesIn(plan(rules).acts);
      for (const { fromMs } of losses) {
        const open = losses.filter((loss) => loss.fromMs <= fromMs && loss.untilMs > fromMs);
        expect({ seed, open: new Set(open.map(({ server }) => server)).size < rules.servers / 2 }).toEqual({
          seed,
          open: true,
        });
      }
    }
  });

  it('P12: takes data only in front of witnesses: nobody starts before it is over, nor just before it begins', () => {
    for (const seed of SEEDS) {
      const { acts } = plan(rulesFor(seed));
      const starts = acts.flatMap((act) => (act.do === 'start replica' ? act.atMs : []));
      for (const { fromMs, untilMs } of lossesIn(acts)) {
        const strangers = starts.filter((atMs) => atMs > fromMs - BOOT_MS && atMs < untilMs);
        expect({ seed, fromMs, strangers }).toEqual({ seed, fromMs, strangers: [] });
      }
    }
  });

  it('does without witnesses where the guard is off', () => {
    const strangers = SEEDS.some((seed) => {
      const { acts } = plan(rulesFor(seed, { guarded: false }));
      const starts = acts.flatMap((act) => (act.do === 'start replica' ? act.atMs : []));
      return lossesIn(acts).some(({ fromMs, untilMs }) => starts.some((atMs) => atMs > fromMs && atMs < untilMs));
    });
    expect(strangers).toBe(true);
  });

  it('ends whatever it begins, and leaves somebody awake at all times', () => {
    for (const seed of SEEDS) {
      const rules = rulesFor(seed);
      const open = new Map<string, number>();
      for (const act of plan(rules).acts) {
        if (act.do === 'kill server' || act.do === 'stall server') open.set(`server ${act.server}`, act.atMs);
        if (act.do === 'start server' || act.do === 'resume server') open.delete(`server ${act.server}`);
        if (act.do === 'link') open.set(`link ${act.replica} ${act.server}`, act.atMs);
        if (act.do === 'mend link') open.delete(`link ${act.replica} ${act.server}`);
        if (act.do === 'kill replica' || act.do === 'stop replica' || act.do === 'pause replica')
          open.set(`replica ${act.replica}`, act.atMs);
        if (act.do === 'start replica' || act.do === 'resume replica') open.delete(`replica ${act.replica}`);
        const asleep = [...open.keys()].filter((who) => who.startsWith('replica')).length;
        if (asleep === rules.replicas) open.set(`nobody is awake at ${act.atMs}`, act.atMs);
      }
      expect({ seed, open: [...open] }).toEqual({ seed, open: [] });
    }
  });

  it('shifts no clock where none can be shifted', () => {
    for (const seed of SEEDS.slice(0, 10)) {
      const { acts, clocksMs } = plan(rulesFor(seed, { clocks: false }));
      expect(acts.filter((act) => act.do === 'clock rate' || act.do === 'replica clock')).toEqual([]);
      expect(new Set(clocksMs)).toEqual(new Set([0]));
    }
  });
});
