import type { RedlockOptions } from '../../lib/interfaces/index.js';
import type { CheckerName } from '../history/events.js';
import type { Chance } from './chance.js';
import type { Copies, Distance } from './network.js';

/**
 * What a schedule assumes of the world.
 *
 * - `assumed`: what the contract assumes; all promises are claimed. Servers lose all of their data, and everybody who asks
 *   them has known them before: a process that has just started trusts the servers that it finds.
 * - `snapshot`: servers come back with older data.
 * - `unguarded`: the same losses without the restart guard.
 * - `evicting`: servers forget single keys.
 * - `reordering`: what was sent on a connection that was given up may arrive after what was sent on the next one, and a copy
 *   of a command long after the command.
 * - `wild clocks`: the clocks of servers jump, and run at any rate; no data are lost.
 */
export type Profile = 'assumed' | 'snapshot' | 'unguarded' | 'evicting' | 'reordering' | 'wild clocks';

export const FAULTS = [
  'stall',
  'crash',
  'lose',
  'flush',
  'breaks',
  'cut',
  'cutToServer',
  'cutToClient',
  'partition',
  'isolate',
  'slow',
  'giveUp',
  'scriptFlush',
  'pause',
  'suspend',
  'stumble',
  'kill',
  'start',
  'shutDown',
  'force',
  'sweep',
  'snapshot',
  'evict',
  'jump',
] as const;
export type Fault = (typeof FAULTS)[number];

/** The job whose ticks all replicas fire: its only key, and its name. */
export const JOB = 'job';

/** All that a seed decides before the first event. */
export interface Plan {
  readonly profile: Profile;
  readonly servers: number;
  readonly clients: number;
  /** How many in each process wait for locks beside one another, and so in line. */
  readonly clientsInLine: number;
  readonly opsPerClient: number;
  readonly keys: readonly string[];
  /** The longest ttl of anybody; all processes use it, so that each knows how long a lock may last. */
  readonly ttlMs: number;
  readonly options: RedlockOptions & { readonly driftFactor: number; readonly nodeTimeout: number };
  readonly lateMs: number;
  readonly distance: Omit<Distance, 'leastMs'>;
  /** How many of the commands arrive twice, and how much later the second time. */
  readonly copies: Copies;
  readonly nearestMs: number;
  readonly furthestMs: number;
  /** How far the wall clocks of replicas are apart, and of servers. */
  readonly skewMs: number;
  readonly serverSkewMs: number;
  /**
   * A replica whose timer is late is like one whose clock is behind: where servers lose their data, only the tolerance between
   * clocks keeps a tick from running again. Where they do not, it may sleep for longer than any claim of a tick lives.
   */
  readonly longestPauseMs: number;
  readonly ticks: number;
  /** Whether replicas also pause, resume, read and run the job of the ticks, make up for ticks and run them again. */
  readonly steered: boolean;
  /** Which of the ticks, from 0, no replica fires, as if all were down: only to be made up for. */
  readonly missedTicks: readonly number[];
  /** How often all clients ask for one key at once, and do not wait. */
  readonly bursts: number;
  readonly faults: number;
  /** A fault that befalls somebody just after each question, when locks and counts are half way. */
  readonly storm: 'evict' | 'jump' | undefined;
  /** Whether faults may hold messages up on their way. */
  readonly delays: boolean;
  readonly weights: Readonly<Record<Fault, number>>;
  /** About how long it will take. */
  readonly lengthMs: number;
  readonly outside: Partial<Record<CheckerName, string>>;
}

const NO_FAULTS = Object.fromEntries(FAULTS.map((fault) => [fault, 0])) as Record<Fault, number>;

const COMMON: Readonly<Record<Fault, number>> = {
  ...NO_FAULTS,
  ...{
    stall: 3,
    crash: 2,
    breaks: 2,
    cut: 1,
    cutToServer: 1,
    cutToClient: 1,
    partition: 1,
    isolate: 2,
    slow: 1,
    giveUp: 1,
  },
  ...{ scriptFlush: 1, pause: 3, suspend: 1.5, stumble: 2, kill: 1, start: 1, shutDown: 0.5, force: 1.5, sweep: 1 },
};

/** Longer than any schedule. */
const LONG_RETENTION_MS = 3_600_000;

export function planOf(chance: Chance): Plan {
  const profile = chance.weighted<Profile>({
    assumed: 64,
    snapshot: 6,
    unguarded: 6,
    evicting: 6,
    reordering: 6,
    'wild clocks': 12,
  });
  const servers = Number(chance.weighted({ 1: 6, 2: 8, 3: 40, 4: 10, 5: 24, 6: 5, 7: 7 }));
  const ttlMs = Math.round(chance.ratio(200, 1200));
  const nodeTimeoutMs = Math.round(Math.min(ttlMs / 4, chance.ratio(30, 200)));
  const hasTicks = chance.happens(0.3);
  const ticks = hasTicks ? chance.whole(2, 4) : 0;
  const toleranceMs = Math.round(chance.ratio(50, 2000));
  const opsPerClient = hasTicks ? chance.whole(0, 2) : chance.whole(2, 5);
  const driftFactor = chance.pick([0.001, 0.01, 0.01, 0.05, 0.1]);
  const spiky = chance.happens(0.15);
  const far = chance.happens(0.25);
  // A client may ask for a quarter of the longest ttl, and then gives a server no more than a quarter of that.
  const leastTimeoutMs = Math.min(nodeTimeoutMs, ttlMs / 16);
  const furthestMs = chance.ratio(0.1, far ? nodeTimeoutMs / 4 : leastTimeoutMs / 16);
  const lengthMs = Math.max(opsPerClient * ttlMs * 0.8, ticks * 1000 + 300);
  const plan: Plan = {
    profile,
    servers,
    clients: chance.whole(2, 4),
    opsPerClient,
    keys: chance.pick([['a'], ['a'], ['a'], ['a', 'b', 'c'], ['a', 'b', 'c', 'd', 'e', 'f']]),
    ttlMs,
    options: {
      driftFactor,
      nodeTimeout: nodeTimeoutMs,
      retryDelay: chance.whole(5, 30),
      maxRetryDelay: chance.whole(30, 200),
      reconnectDelay: chance.whole(2, 10),
      maxReconnectDelay: chance.whole(10, 60),
      maxConcurrency: chance.happens(0.1) ? 1 : 10,
      clockTolerance: toleranceMs,
      fencing: !chance.happens(0.12),
      fencingRetention: retentionOf(profile, chance.aside(6)),
      restartGuard: profile === 'unguarded' ? 'off' : chance.happens(0.15) ? 'strict' : 'witnessed',
    },
    clientsInLine: hasTicks ? 1 : Number(chance.aside(3).weighted({ 1: 6, 2: 2, 3: 1, 4: 1 })),
    copies: copiesOf(profile, ttlMs, chance.aside(1)),
    lateMs: chance.happens(0.5) ? 0.9 : 0,
    distance: {
      jitterMs: furthestMs * chance.next(),
      spikeMs: spiky ? chance.ratio(1, 3) * nodeTimeoutMs : 0,
      spikes: spiky ? chance.ratio(0.005, 0.1) : 0,
    },
    nearestMs: furthestMs * chance.next(),
    bursts: chance.happens(0.3) ? chance.whole(1, 2) : 0,
    furthestMs,
    skewMs: chance.happens(0.7) ? toleranceMs * 0.5 * chance.next() : 0,
    longestPauseMs: hasTicks ? toleranceMs * 0.4 : 2 * ttlMs,
    serverSkewMs: serverSkewOf(profile, ttlMs, chance),
    ticks,
    ...steeringOf(ticks, chance.aside(11)),
    faults: chance.happens(0.1) ? 0 : chance.whole(1, 8),
    storm: stormOf(profile, chance.aside(2)),
    delays: true,
    weights: weightsOf(profile, chance),
    lengthMs,
    outside: outsideOf(profile, spiky || far, servers),
  };
  const { lose, flush, snapshot, evict } = plan.weights;
  return {
    ...plan,
    ...(hasTicks && lose + flush + snapshot + evict === 0 && { longestPauseMs: 6000 }),
    ...(Number(plan.options.fencingRetention) < LONG_RETENTION_MS && withoutDelays(plan)),
  };
}

function steeringOf(ticks: number, chance: Chance): Pick<Plan, 'steered' | 'missedTicks'> {
  const steered = ticks > 0 && chance.happens(0.7);
  const all = Array.from({ length: steered ? ticks : 0 }, (_, tick) => tick);
  return { steered, missedTicks: all.filter(() => chance.happens(0.25)) };
}

/** P2: no request may arrive after the end of the counters that it would have counted on. */
function withoutDelays({ weights, distance }: Plan): Pick<Plan, 'delays' | 'weights' | 'distance'> {
  const none = { stall: 0, cut: 0, cutToServer: 0, partition: 0, isolate: 0, slow: 0, giveUp: 0 };
  return { delays: false, weights: { ...weights, ...none }, distance: { ...distance, spikeMs: 0, spikes: 0 } };
}

/**
 * Some forget counters as soon as their locks are over, so that keys begin anew while they are in use. Where the clocks of servers
 * jump, a counter must not expire by a jump: that is a loss of data.
 */
function retentionOf(profile: Profile, chance: Chance): number {
  if (profile === 'wild clocks') return 30 * 24 * 3_600_000;
  return chance.happens(0.3) ? Math.ceil(chance.ratio(1, 1000)) : LONG_RETENTION_MS;
}

function stormOf(profile: Profile, chance: Chance): Plan['storm'] {
  if (!chance.happens(0.5)) return undefined;
  return profile === 'evicting' ? 'evict' : profile === 'wild clocks' ? 'jump' : undefined;
}

/** Who sends a command again, because it does not know whether it has arrived, does so at once, or much later. */
function copiesOf(profile: Profile, ttlMs: number, chance: Chance): Copies {
  if (!chance.happens(0.15)) return { share: 0, lateMs: 0 };
  return { share: chance.ratio(0.02, 0.5), lateMs: profile === 'reordering' ? chance.ratio(1, ttlMs) : 0 };
}

/**
 * A counter that was lost begins anew from the time of its server. That is ahead of every number that was given before as
 * long as the clocks of the servers differ by less than the time for which the server was kept from voting; where nothing is
 * lost no clock is involved, and they may differ by anything.
 */
function serverSkewOf(profile: Profile, ttlMs: number, chance: Chance): number {
  if (profile === 'wild clocks') return chance.ratio(1, 1e7);
  if (profile === 'assumed' || profile === 'snapshot') return ttlMs * 0.9 * chance.next();
  return 0;
}

function weightsOf(profile: Profile, chance: Chance): Readonly<Record<Fault, number>> {
  const weights = { ...COMMON };
  // A few kinds at a time: so that they come in numbers, and together.
  for (const fault of FAULTS) if (chance.happens(0.4)) weights[fault] = 0;
  const heavy = chance.happens(0.5);
  switch (profile) {
    case 'assumed':
    case 'unguarded':
      weights.lose = heavy ? 6 : 1;
      weights.flush = heavy ? 3 : 0.5;
      break;
    case 'snapshot':
      weights.snapshot = 6;
      break;
    case 'evicting':
      weights.evict = 10;
      break;
    case 'reordering':
      Object.assign(weights, { cutToServer: 6, cut: 3, giveUp: 8 });
      break;
    case 'wild clocks':
      weights.jump = 10;
      break;
    default:
      return profile satisfies never;
  }
  return weights;
}

const LATE_START =
  'a majority may lose a counter, and a request that arrives late then begins it at the time at which it was sent';

function outsideOf(profile: Profile, slow: boolean, servers: number): Plan['outside'] {
  const late = 'messages may take longer than the node timeout, so that a majority is up and not in time';
  const liveness: Plan['outside'] = slow ? { 'no starvation': late, 'no lost tick': late } : {};
  switch (profile) {
    case 'assumed':
      return liveness;
    case 'snapshot':
      return { ...liveness, 'fencing order': 'servers come back with older counts, which look as good as any' };
    case 'unguarded': {
      const why = 'servers lose their data, and the restart guard is off';
      return { ...liveness, 'mutual exclusion': why, 'one run a tick': why, 'fencing order': LATE_START };
    }
    case 'evicting': {
      const why = `${servers} servers evict single keys: nobody can know`;
      return { ...liveness, 'mutual exclusion': why, 'one run a tick': why, 'fencing order': LATE_START };
    }
    case 'reordering': {
      const why = 'an acquire may arrive after its own release, and then stays for its ttl';
      const claims = { 'nothing left': why, 'no starvation': why, 'no lost tick': why };
      // A run that no process began: what its acquire has left there is its only trace.
      return { ...claims, 'died only without an end': why };
    }
    case 'wild clocks': {
      const why = 'the clocks of servers run at any rate';
      return {
        ...{ 'mutual exclusion': why, 'one run a tick': why, 'no ghost': why, 'nothing left': why },
        ...{ 'no starvation': why, 'no lost tick': why, 'died only without an end': why },
      };
    }
    default:
      return profile satisfies never;
  }
}
