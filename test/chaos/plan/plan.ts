import type { FaultName, Plan } from './faults.js';
import { HEAL_MS } from './fault-budget.js';
import { PlanBuilder } from './plan-builder.js';
import { breakLinks, pause, replace, shiftClock } from './replica-faults.js';
import { changeRate, flush, flushScripts, restart, roll, slow, stall } from './server-faults.js';

export interface PlanRules {
  readonly seed: number;
  readonly servers: number;
  readonly replicas: number;
  readonly lengthMs: number;
  /** For so long the replicas that have witnessed a loss of data do not trust the server. */
  readonly quarantineMs: number;
  /** A server counts as away for so much longer. */
  readonly graceMs: number;
  /** How far apart the replicas' clocks may be. */
  readonly clockToleranceMs: number;
  /** Whether the guard must be able to see each loss of data. */
  readonly guarded: boolean;
  /** Whether clocks can be shifted at all. */
  readonly clocks: boolean;
}

const WARM_UP_MS = 3_500;
const MEAN_GAP_MS = 450;

/** From time to time the majority is away for a while, so that nothing can be granted. */
const OUTAGE_EVERY_MS = 50_000;

/**
 * A loss of data needs replicas that have run for a while, to witness it. Replicas that are replaced are no witnesses. So phases of
 * losses and phases of new replicas alternate, faster in a short run.
 */
const ERAS: Readonly<Record<Era, readonly [number, number]>> = {
  losses: [15_000, 35_000],
  newcomers: [8_000, 20_000],
};
const SHORT_MS = 60_000;
type Era = 'losses' | 'newcomers';
const ONLY_IN: Partial<Record<FaultName, Era>> = {
  'server restarted without data': 'losses',
  'rolling restart without data': 'losses',
  'server flushed': 'losses',
  'replica killed': 'newcomers',
  'replica redeployed': 'newcomers',
};

const WEIGHTS: Readonly<Record<FaultName, number>> = {
  'server killed': 3,
  'server restarted': 2,
  'server restarted without data': 14,
  'rolling restart': 0.3,
  'rolling restart without data': 0.6,
  'server stalled': 4,
  'server slow': 3,
  'server flushed': 8,
  'scripts flushed': 2,
  'server clock fast or slow': 1,
  'link cut': 3,
  'link stalled': 3,
  'link slow': 2,
  partition: 1,
  'replica killed': 4,
  'replica redeployed': 2,
  'replica paused': 4,
  'replica clock shifted': 2,
};

/** Without the guard, servers restart faster than a lock can heal, and often. The checkers must find violations then. */
const UNGUARDED_WEIGHTS: typeof WEIGHTS = { ...WEIGHTS, 'rolling restart without data': 12 };

/** The schedule of faults. The same rules give the same schedule. */
export function plan(rules: PlanRules): Plan {
  const builder = new PlanBuilder(rules);
  const { random, budget } = builder;
  let era: Era = 'losses';
  const pace = Math.min(1, rules.lengthMs / SHORT_MS);
  let eraEndsMs = pace * random.between(...ERAS[era]);
  let nextOutageMs = OUTAGE_EVERY_MS * random.between(0.4, 1);
  for (let nowMs = WARM_UP_MS; nowMs < rules.lengthMs - 1_000; nowMs += random.gapMs(MEAN_GAP_MS)) {
    if (nowMs > nextOutageMs) {
      budget.outage(nowMs, Math.min(nowMs + random.between(3_000, 8_000), rules.lengthMs));
      nextOutageMs += OUTAGE_EVERY_MS * random.between(0.7, 1.3);
    }
    if (nowMs > eraEndsMs) {
      era = era === 'losses' ? 'newcomers' : 'losses';
      eraEndsMs = nowMs + pace * random.between(...ERAS[era]);
    }
    const fault = random.pick(rules.guarded ? WEIGHTS : UNGUARDED_WEIGHTS);
    const newcomers = !rules.guarded || era === 'newcomers';
    if (!rules.guarded || (ONLY_IN[fault] ?? era) === era) addFault(builder, fault, nowMs, newcomers);
  }
  return { actions: builder.actions.toSorted((one, other) => one.atMs - other.atMs), clocksMs: builder.clocksMs };
}

/** Adds the fault, on a random server or replica, if the budget allows it now. */
function addFault(builder: PlanBuilder, fault: FaultName, nowMs: number, newcomers: boolean): void {
  const { random, rules } = builder;
  const server = random.below(rules.servers);
  const replica = random.below(rules.replicas);
  switch (fault) {
    case 'server killed':
      return restart(builder, fault, server, nowMs, random.between(500, 6_000), true);
    case 'server restarted':
      return restart(builder, fault, server, nowMs, 0, true);
    case 'server restarted without data':
      return restart(builder, fault, server, nowMs, random.chance(0.5) ? 0 : random.between(100, 3_000), false);
    case 'rolling restart':
      return roll(builder, fault, nowMs, 1_500, true);
    case 'rolling restart without data':
      return roll(
        builder,
        fault,
        nowMs,
        rules.guarded ? rules.quarantineMs + HEAL_MS + 1_000 : random.between(20, 150),
        false,
      );
    case 'server stalled':
      return stall(builder, fault, server, nowMs);
    case 'server slow':
      return slow(builder, fault, server, nowMs);
    case 'server flushed':
      return flush(builder, fault, server, nowMs);
    case 'scripts flushed':
      return flushScripts(builder, fault, server, nowMs);
    case 'server clock fast or slow':
      return changeRate(builder, fault, server, nowMs);
    case 'link cut':
      return breakLinks(builder, fault, replica, [server], nowMs, { how: 'cut' });
    case 'link stalled':
      return breakLinks(builder, fault, replica, [server], nowMs, { how: 'stall' });
    case 'link slow':
      return breakLinks(builder, fault, replica, [server], nowMs, builder.slowness());
    case 'partition': {
      const most = builder.clocksMs.map((_, each) => (server + each) % rules.servers).slice(builder.budget.minority);
      return breakLinks(builder, fault, replica, most, nowMs, { how: random.chance(0.5) ? 'cut' : 'stall' });
    }
    case 'replica killed':
      return void replace(builder, fault, 'kill replica', replica, nowMs, random.between(0, 3_000));
    case 'replica redeployed':
      return void replace(builder, fault, 'stop replica', replica, nowMs, random.between(3_000, 6_000));
    case 'replica paused':
      return pause(builder, fault, replica, nowMs, newcomers);
    case 'replica clock shifted':
      return shiftClock(builder, fault, replica, nowMs);
    default:
      return fault satisfies never;
  }
}
