import type { Act, FaultName, Plan, Trouble } from './acts.js';
import { Dice } from './dice.js';
import { BOOT_MS, Ground } from './ground.js';

export interface PlanRules {
  readonly seed: number;
  readonly servers: number;
  readonly replicas: number;
  readonly lengthMs: number;
  /** For so long a server that has lost its data is not trusted, by those who know. */
  readonly guardMs: number;
  /** A server that was away counts as such for so much longer. */
  readonly graceMs: number;
  /** How far apart the replicas' clocks may be. */
  readonly clockToleranceMs: number;
  /** Whether losses of data must be such that the guard can see them. */
  readonly guarded: boolean;
  /** Whether clocks can be shifted at all. */
  readonly clocks: boolean;
}

const WARM_UP_MS = 3_500;
const MEAN_GAP_MS = 450;
const DAY_MS = 24 * 3600 * 1000;
/** Well within the drift that the locks allow for, which is one in a hundred. */
const FASTEST_PPM = 4_000;

/** From time to time the majority is away for a while, so that nothing can be granted. */
const STORM_EVERY_MS = 50_000;

/**
 * A loss of data needs replicas that have been there for a while, to witness it, and replicas that come and go leave none.
 * So these take turns.
 */
const ERAS: Readonly<Record<Era, readonly [number, number]>> = {
  losses: [15_000, 35_000],
  newcomers: [8_000, 20_000],
};
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

/** The schedule of faults. The same rules give the same one. */
export function plan(rules: PlanRules): Plan {
  return new Planner(rules).plan();
}

class Planner {
  readonly #dice: Dice;
  readonly #ground: Ground;
  readonly #clocksMs: readonly number[];
  readonly #acts: Act[] = [];
  readonly #endAtMs: number;
  #era: Era = 'losses';
  #eraEndsMs = 0;

  constructor(private readonly rules: PlanRules) {
    this.#dice = new Dice(rules.seed);
    this.#clocksMs = Array.from({ length: rules.servers }, () =>
      rules.clocks ? this.#dice.between(-DAY_MS, DAY_MS) : 0,
    );
    this.#ground = new Ground(rules, this.#clocksMs);
    this.#endAtMs = rules.lengthMs;
  }

  plan(): Plan {
    let nextStormMs = STORM_EVERY_MS * this.#dice.between(0.4, 1);
    for (let nowMs = WARM_UP_MS; nowMs < this.#endAtMs - 1_000; nowMs += this.#dice.gapMs(MEAN_GAP_MS)) {
      if (nowMs > nextStormMs) {
        this.#ground.storm(nowMs, Math.min(nowMs + this.#dice.between(3_000, 8_000), this.#endAtMs));
        nextStormMs += STORM_EVERY_MS * this.#dice.between(0.7, 1.3);
      }
      if (nowMs > this.#eraEndsMs) {
        this.#era = this.#era === 'losses' ? 'newcomers' : 'losses';
        this.#eraEndsMs = nowMs + this.#dice.between(...ERAS[this.#era]);
      }
      const fault = this.#dice.pick(WEIGHTS);
      if (this.#isTimeFor(fault)) this.#strike(fault, nowMs);
    }
    return { acts: this.#acts.sort((one, other) => one.atMs - other.atMs), clocksMs: this.#clocksMs };
  }

  #isTimeFor(fault: FaultName): boolean {
    return !this.rules.guarded || (ONLY_IN[fault] ?? this.#era) === this.#era;
  }

  /** Does it, if it may be done now. */
  #strike(fault: FaultName, nowMs: number): void {
    const server = this.#dice.below(this.rules.servers);
    const replica = this.#dice.below(this.rules.replicas);
    switch (fault) {
      case 'server killed':
        return this.#restart(fault, server, nowMs, this.#dice.between(500, 6_000), true);
      case 'server restarted':
        return this.#restart(fault, server, nowMs, 0, true);
      case 'server restarted without data':
        return this.#restart(fault, server, nowMs, this.#dice.chance(0.5) ? 0 : this.#dice.between(100, 3_000), false);
      case 'rolling restart':
        return this.#roll(fault, nowMs, 1_500, true);
      case 'rolling restart without data':
        return this.#roll(fault, nowMs, this.rules.guardMs + 3_000, false);
      case 'server stalled': {
        const untilMs = this.#away([server], nowMs, this.#dice.between(200, 7_000));
        if (untilMs === undefined) return;
        this.#add({ do: 'stall server', server, atMs: nowMs, fault });
        return this.#add({ do: 'resume server', server, atMs: untilMs });
      }
      case 'server slow': {
        const untilMs = this.#away([server], nowMs, this.#dice.between(1_000, 7_000));
        if (untilMs === undefined) return;
        const trouble = this.#slowness();
        this.#all((each, first) => {
          this.#add({ do: 'link', replica: each, server, trouble, atMs: nowMs, ...(first && { fault }) });
          this.#add({ do: 'mend link', replica: each, server, atMs: untilMs });
        });
        return;
      }
      case 'server flushed': {
        if (!this.#ground.mayLose(server, nowMs, nowMs) || !this.#ground.isAhead(server, nowMs)) return;
        if (this.#away([server], nowMs, 200) === undefined) return;
        this.#forget(server, nowMs, nowMs);
        return this.#add({ do: 'flush', server, atMs: nowMs, fault });
      }
      case 'scripts flushed': {
        if (this.#away([server], nowMs, 50) === undefined) return;
        return this.#add({ do: 'flush scripts', server, atMs: nowMs, fault });
      }
      case 'server clock fast or slow': {
        if (!this.rules.clocks) return;
        const ppm = this.#dice.between(FASTEST_PPM / 4, FASTEST_PPM) * (this.#dice.chance(0.5) ? 1 : -1);
        this.#add({ do: 'clock rate', server, ppm, atMs: nowMs, fault });
        return this.#add({ do: 'clock rate', server, ppm: 0, atMs: this.#until(nowMs, 15_000) });
      }
      case 'link cut':
        return this.#breakLinks(fault, replica, [server], nowMs, { how: 'cut' });
      case 'link stalled':
        return this.#breakLinks(fault, replica, [server], nowMs, { how: 'stall' });
      case 'link slow':
        return this.#breakLinks(fault, replica, [server], nowMs, this.#slowness());
      case 'partition': {
        const most = this.#clocksMs.map((_, each) => (server + each) % this.rules.servers).slice(this.#ground.minority);
        return this.#breakLinks(fault, replica, most, nowMs, { how: this.#dice.chance(0.5) ? 'cut' : 'stall' });
      }
      case 'replica killed':
        return this.#replace(fault, 'kill replica', replica, nowMs, this.#dice.between(0, 3_000));
      case 'replica redeployed':
        return this.#replace(fault, 'stop replica', replica, nowMs, this.#dice.between(3_000, 6_000));
      case 'replica paused':
        return this.#pause(fault, replica, nowMs);
      case 'replica clock shifted':
        return this.#shift(fault, replica, nowMs);
      default:
        return fault satisfies never;
    }
  }

  #restart(fault: FaultName, server: number, nowMs: number, downMs: number, data: boolean): void {
    const backAtMs = this.#until(nowMs, downMs);
    if (!data && !this.#ground.mayLose(server, nowMs, backAtMs)) return;
    if (this.#away([server], nowMs, downMs + 300) === undefined) return;
    this.#add({ do: 'kill server', server, atMs: nowMs, fault });
    this.#start(server, nowMs, backAtMs, data);
  }

  #start(server: number, nowMs: number, backAtMs: number, data: boolean): void {
    if (data) return this.#add({ do: 'start server', server, data, atMs: backAtMs });
    this.#forget(server, nowMs, backAtMs);
    const clockMs = this.rules.clocks ? this.#ground.latestClockMs + this.#dice.between(0, 2_000) : 0;
    this.#ground.servers[server]!.clockMs = clockMs;
    this.#add({ do: 'start server', server, data, clockMs, atMs: backAtMs });
  }

  /** Away until it is trusted again. */
  #forget(server: number, nowMs: number, backAtMs: number): void {
    this.#ground.lose(server, nowMs, backAtMs);
    const own = this.#ground.servers[server]!;
    own.awayUntilMs = Math.max(own.awayUntilMs, backAtMs + this.rules.guardMs);
  }

  /** One after the other, and nothing else to the servers meanwhile. */
  #roll(fault: FaultName, nowMs: number, everyMs: number, data: boolean): void {
    const lengthMs = everyMs * this.rules.servers;
    if (this.#ground.minority === 0 || nowMs + lengthMs > this.#endAtMs || nowMs < this.#ground.stormUntilMs) return;
    const calm = this.#ground.servers.every(({ busyUntilMs, awayUntilMs }, server) => {
      return (
        busyUntilMs <= nowMs && awayUntilMs <= nowMs && (data || this.#ground.mayLose(server, nowMs, nowMs + lengthMs))
      );
    });
    if (!calm) return;
    for (let server = 0; server < this.rules.servers; server++) {
      const atMs = nowMs + server * everyMs;
      this.#ground.servers[server]!.busyUntilMs = nowMs + lengthMs;
      this.#ground.disturb(atMs, atMs + 300, { server });
      this.#ground.servers[server]!.awayUntilMs = atMs + 300;
      this.#add({ do: 'kill server', server, atMs, ...(server === 0 && { fault }) });
      this.#start(server, atMs, atMs, data);
    }
  }

  #breakLinks(fault: FaultName, replica: number, servers: readonly number[], nowMs: number, trouble: Trouble): void {
    if (this.#ground.replicas[replica]!.busyUntilMs > nowMs) return;
    const untilMs = this.#away(servers, nowMs, this.#dice.between(300, 7_000), replica);
    if (untilMs === undefined) return;
    servers.forEach((server, index) => {
      this.#add({ do: 'link', replica, server, trouble, atMs: nowMs, ...(index === 0 && { fault }) });
      this.#add({ do: 'mend link', replica, server, atMs: untilMs });
    });
  }

  #replace(
    fault: FaultName,
    how: 'kill replica' | 'stop replica',
    replica: number,
    nowMs: number,
    downMs: number,
  ): void {
    const own = this.#ground.replicas[replica]!;
    const startAtMs = this.#ground.earliestStartMs(nowMs + downMs);
    if (own.busyUntilMs > nowMs || !this.#ground.mayMissReplica(nowMs)) return;
    if (startAtMs + BOOT_MS > this.#endAtMs) return;
    own.busyUntilMs = startAtMs + BOOT_MS;
    this.#ground.replace(replica, startAtMs);
    this.#add({ do: how, replica, atMs: nowMs, fault });
    this.#add({ do: 'start replica', replica, atMs: startAtMs });
  }

  /** Past its ttl, mostly. Some do not live to see the end of it. */
  #pause(fault: FaultName, replica: number, nowMs: number): void {
    const own = this.#ground.replicas[replica]!;
    if (own.busyUntilMs > nowMs || !this.#ground.mayMissReplica(nowMs)) return;
    const untilMs = this.#until(nowMs, this.#dice.between(200, 6_000));
    own.busyUntilMs = untilMs;
    this.#ground.disturb(nowMs, untilMs, { replica });
    this.#add({ do: 'pause replica', replica, atMs: nowMs, fault });
    if (!this.#isTimeFor('replica killed') || !this.#dice.chance(0.3))
      return this.#add({ do: 'resume replica', replica, atMs: untilMs });
    own.busyUntilMs = nowMs;
    this.#replace('replica killed', 'kill replica', replica, untilMs, 0);
    if (own.busyUntilMs === nowMs) this.#add({ do: 'resume replica', replica, atMs: untilMs });
    own.busyUntilMs = Math.max(own.busyUntilMs, untilMs);
  }

  #shift(fault: FaultName, replica: number, nowMs: number): void {
    const own = this.#ground.replicas[replica]!;
    if (!this.rules.clocks || own.clockUntilMs > nowMs) return;
    const mostMs = this.rules.clockToleranceMs / 2 - 100;
    own.clockUntilMs = this.#until(nowMs, this.#dice.between(3_000, 15_000));
    this.#add({ do: 'replica clock', replica, offsetMs: this.#dice.between(-mostMs, mostMs), atMs: nowMs, fault });
    this.#add({ do: 'replica clock', replica, offsetMs: 0, atMs: own.clockUntilMs });
  }

  /** Takes these servers out, for one replica or all of them. Returns until when, or undefined where that is too much. */
  #away(servers: readonly number[], nowMs: number, forMs: number, replica?: number): number | undefined {
    const busy = servers.some((server) => this.#ground.servers[server]!.busyUntilMs > nowMs);
    // Who is alone with a minority takes nothing from the others.
    const alone = replica !== undefined && servers.length > 1;
    if (busy || !(alone || this.#ground.mayBeAway(servers, nowMs))) return undefined;
    const untilMs = this.#until(nowMs, forMs);
    for (const server of servers) {
      const own = this.#ground.servers[server]!;
      own.busyUntilMs = untilMs + 200;
      own.awayUntilMs = Math.max(own.awayUntilMs, untilMs);
      this.#ground.disturb(nowMs, untilMs, { server, ...(replica !== undefined && { replica }) });
    }
    return untilMs;
  }

  /** Not beyond the end of a storm, nor of all. */
  #until(nowMs: number, forMs: number): number {
    const limitMs = nowMs < this.#ground.stormUntilMs ? this.#ground.stormUntilMs : this.#endAtMs;
    return Math.min(nowMs + forMs, limitMs);
  }

  #slowness(): Trouble {
    return { how: 'slow', delayMs: this.#dice.between(20, 400), jitterMs: this.#dice.between(0, 200) };
  }

  #all(each: (replica: number, first: boolean) => void): void {
    for (let replica = 0; replica < this.rules.replicas; replica++) each(replica, replica === 0);
  }

  #add(act: Act): void {
    this.#acts.push(act);
  }
}
