import { describe, expect, it } from '@jest/globals';
import { FAULTS, type PlannedAction } from '../../chaos/plan/faults.js';
import { BOOT_MS } from '../../chaos/plan/fault-budget.js';
import { plan, type PlanRules } from '../../chaos/plan/plan.js';

const GUARD_MS = 5_000;

function rulesFor(seed: number, more: Partial<PlanRules> = {}): PlanRules {
  const sizes = { servers: 3 + (seed % 4), replicas: 3 + (seed % 3), lengthMs: 300_000 };
  const times = { quarantineMs: GUARD_MS, graceMs: 2_500, clockToleranceMs: 3_000 };
  return { seed, ...sizes, ...times, guarded: true, clocks: true, ...more };
}

const SEEDS = Array.from({ length: 30 }, (_, index) => index + 1);

interface Loss {
  readonly server: number;
  readonly fromMs: number;
  /** When it is back, and trusted again. */
  readonly untilMs: number;
}

function lossesIn(actions: readonly PlannedAction[]): Loss[] {
  return actions.flatMap((action, index) => {
    if (action.do === 'flush') return { server: action.server, fromMs: action.atMs, untilMs: action.atMs + GUARD_MS };
    if (action.do !== 'start server' || action.data) return [];
    const died = actions.slice(0, index).findLast((each) => each.do === 'kill server' && each.server === action.server);
    return { server: action.server, fromMs: died!.atMs, untilMs: action.atMs + GUARD_MS };
  });
}

describe('a schedule of faults', () => {
  it('is the same for the same seed, and another one for another', () => {
    expect(plan(rulesFor(1))).toEqual(plan(rulesFor(1)));
    expect(plan(rulesFor(1)).actions).not.toEqual(plan(rulesFor(2)).actions);
  });

  it('has every fault in it, over some seeds', () => {
    const seen = new Set(SEEDS.flatMap((seed) => plan(rulesFor(seed)).actions.flatMap(({ fault }) => fault ?? [])));
    expect([...seen].sort()).toEqual([...FAULTS].sort());
  });

  it('P1: never takes the data of a majority at once', () => {
    for (const seed of SEEDS) {
      const rules = rulesFor(seed);
      const losses = lossesIn(plan(rules).actions);
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
      const { actions } = plan(rulesFor(seed));
      const starts = actions.flatMap((action) => (action.do === 'start replica' ? action.atMs : []));
      for (const { fromMs, untilMs } of lossesIn(actions)) {
        const strangers = starts.filter((atMs) => atMs > fromMs - BOOT_MS && atMs < untilMs);
        expect({ seed, fromMs, strangers }).toEqual({ seed, fromMs, strangers: [] });
      }
    }
  });

  it('does without witnesses where the guard is off', () => {
    const strangers = SEEDS.some((seed) => {
      const { actions } = plan(rulesFor(seed, { guarded: false }));
      const starts = actions.flatMap((action) => (action.do === 'start replica' ? action.atMs : []));
      return lossesIn(actions).some(({ fromMs, untilMs }) => starts.some((atMs) => atMs > fromMs && atMs < untilMs));
    });
    expect(strangers).toBe(true);
  });

  it('ends whatever it begins, and leaves somebody awake at all times', () => {
    for (const seed of SEEDS) {
      const rules = rulesFor(seed);
      const open = new Map<string, number>();
      for (const action of plan(rules).actions) {
        if (action.do === 'kill server' || action.do === 'stall server')
          open.set(`server ${action.server}`, action.atMs);
        if (action.do === 'start server' || action.do === 'resume server') open.delete(`server ${action.server}`);
        if (action.do === 'link') open.set(`link ${action.replica} ${action.server}`, action.atMs);
        if (action.do === 'mend link') open.delete(`link ${action.replica} ${action.server}`);
        if (action.do === 'kill replica' || action.do === 'stop replica' || action.do === 'pause replica')
          open.set(`replica ${action.replica}`, action.atMs);
        if (action.do === 'start replica' || action.do === 'resume replica') open.delete(`replica ${action.replica}`);
        const asleep = [...open.keys()].filter((who) => who.startsWith('replica')).length;
        if (asleep === rules.replicas) open.set(`nobody is awake at ${action.atMs}`, action.atMs);
      }
      expect({ seed, open: [...open] }).toEqual({ seed, open: [] });
    }
  });

  it('shifts no clock where none can be shifted', () => {
    for (const seed of SEEDS.slice(0, 10)) {
      const { actions, clocksMs } = plan(rulesFor(seed, { clocks: false }));
      expect(actions.filter((action) => action.do === 'clock rate' || action.do === 'replica clock')).toEqual([]);
      expect(new Set(clocksMs)).toEqual(new Set([0]));
    }
  });
});
