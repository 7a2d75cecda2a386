import type { PlanRules } from './plan.js';

/** How long somebody must have been undisturbed until it is known to have spoken with somebody else. */
const ACQUAINTED_MS = 3_000;

/** So long a replica may take until it is up. */
export const BOOT_MS = 4_000;

/** After its quarantine a server is given this time to learn, with the next grant of each key, how far its counter is. */
export const HEAL_MS = 2_000;

interface Server {
  busyUntilMs: number;
  awayUntilMs: number;
  /** Until then what it has forgotten may matter. */
  lostUntilMs: number;
  clockMs: number;
}

interface Replica {
  busyUntilMs: number;
  clockUntilMs: number;
  startedAtMs: number;
}

interface Link {
  busyUntilMs: number;
  calmSinceMs: number;
  acquainted: boolean;
}

/**
 * What the plan knows of servers and replicas, and what may be done to them so that the promises still hold (P1): less
 * than a majority without its data at once, and, because a server's loss must be witnessed (P12), only of servers that
 * every replica has known before.
 */
export class FaultBudget {
  readonly servers: Server[];
  readonly replicas: Replica[];
  readonly minority: number;
  outageUntilMs = 0;
  #lastLossAtMs = 0;
  readonly #links: Link[][];

  constructor(
    private readonly rules: PlanRules,
    clocksMs: readonly number[],
  ) {
    this.minority = Math.ceil(rules.servers / 2) - 1;
    this.servers = clocksMs.map((clockMs) => ({ busyUntilMs: 0, awayUntilMs: 0, lostUntilMs: -Infinity, clockMs }));
    this.replicas = Array.from({ length: rules.replicas }, () => ({ busyUntilMs: 0, clockUntilMs: 0, startedAtMs: 0 }));
    this.#links = this.replicas.map(() => clocksMs.map(() => ({ busyUntilMs: 0, calmSinceMs: 0, acquainted: false })));
  }

  link(replica: number, server: number): Link {
    return this.#links[replica]![server]!;
  }

  /** Whether this many servers, these among them, may be away for a while without costing the majority. */
  mayBeAway(which: readonly number[], nowMs: number): boolean {
    if (nowMs < this.outageUntilMs) return true;
    const others = this.servers.filter(
      ({ awayUntilMs }, server) => !which.includes(server) && awayUntilMs + this.rules.graceMs > nowMs,
    );
    return others.length + which.length <= this.minority;
  }

  /** Whether somebody will be left who does not stand still. */
  mayMissReplica(nowMs: number): boolean {
    return this.replicas.filter(({ busyUntilMs }) => busyUntilMs <= nowMs).length > 1;
  }

  /** Nobody can start without taking a server that has forgotten something for one that has not. */
  earliestStartMs(wishMs: number): number {
    if (!this.rules.guarded) return wishMs;
    return Math.max(wishMs, ...this.servers.map(({ lostUntilMs }) => lostUntilMs));
  }

  mayLose(server: number, nowMs: number, backAtMs: number): boolean {
    const untilMs = backAtMs + this.rules.guardMs;
    if (nowMs < this.outageUntilMs) return false;
    const open = this.servers.filter(({ lostUntilMs }, other) => other !== server && lostUntilMs > nowMs);
    if (open.length + 1 > this.minority) return false;
    if (!this.rules.guarded) return true;
    return this.replicas.every((replica, index) => {
      const starting = replica.startedAtMs + BOOT_MS > nowMs && replica.startedAtMs < untilMs;
      const { acquainted, calmSinceMs } = this.link(index, server);
      return !starting && (acquainted || nowMs - calmSinceMs >= ACQUAINTED_MS);
    });
  }

  lose(server: number, nowMs: number, backAtMs: number): void {
    this.servers[server]!.lostUntilMs = backAtMs + this.rules.guardMs + HEAL_MS;
    this.#lastLossAtMs = nowMs;
  }

  /**
   * A counter of fencing tokens that begins anew goes by its server's clock. Where a majority loses its data one after the
   * other, that has to be ahead of the counters that there are.
   */
  isAhead(server: number, nowMs: number): boolean {
    const behindMs = this.latestClockMs - this.servers[server]!.clockMs;
    return nowMs - this.#lastLossAtMs > behindMs + 1_000;
  }

  get latestClockMs(): number {
    return Math.max(...this.servers.map(({ clockMs }) => clockMs));
  }

  /** While nothing is granted, nothing heals either. */
  outage(nowMs: number, untilMs: number): void {
    this.outageUntilMs = untilMs;
    for (const server of this.servers) if (server.lostUntilMs > nowMs) server.lostUntilMs += untilMs - nowMs;
  }

  /** Server and replica do not hear of each other for a while. Without a number: any. */
  disturb(nowMs: number, untilMs: number, { server, replica }: { server?: number; replica?: number }): void {
    this.#links.forEach((links, r) =>
      links.forEach((link, s) => {
        if ((server !== undefined && s !== server) || (replica !== undefined && r !== replica)) return;
        link.acquainted ||= nowMs - link.calmSinceMs >= ACQUAINTED_MS;
        link.calmSinceMs = Math.max(link.calmSinceMs, untilMs);
      }),
    );
  }

  /** A new process takes its place, and knows nobody. */
  replace(replica: number, startAtMs: number): void {
    this.replicas[replica]!.startedAtMs = startAtMs;
    for (const link of this.#links[replica]!)
      Object.assign(link, { acquainted: false, calmSinceMs: startAtMs + BOOT_MS });
  }
}
