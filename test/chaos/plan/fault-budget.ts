import type { PlanRules } from './plan.js';

/** After so long without a fault between them, a replica and a server have connected. */
const ACQUAINTED_MS = 3_000;

/** The longest time from the start of a replica until it is up. */
export const BOOT_MS = 4_000;

/** After its quarantine a server has this time to get the number of each counter with the next grant of its key. */
export const HEAL_MS = 2_000;

interface Server {
  busyUntilMs: number;
  awayUntilMs: number;
  /** Until then the locks that it has forgotten may still be held. */
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
 * The state of servers and replicas in the plan, and which faults the promises still allow (P1). Less than a majority may be
 * without its data at one time. A replica must witness each loss (P12), so only servers lose data that every replica has
 * connected to before.
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

  /** Whether another replica runs meanwhile. */
  mayMissReplica(nowMs: number): boolean {
    return this.replicas.filter(({ busyUntilMs }) => busyUntilMs <= nowMs).length > 1;
  }

  /** A replica that starts trusts the servers as it finds them. So none starts while a loss of data matters. */
  earliestStartMs(wishMs: number): number {
    if (!this.rules.guarded) return wishMs;
    return Math.max(wishMs, ...this.servers.map(({ lostUntilMs }) => lostUntilMs));
  }

  mayLose(server: number, nowMs: number, backAtMs: number): boolean {
    const untilMs = backAtMs + this.rules.quarantineMs;
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
    this.servers[server]!.lostUntilMs = backAtMs + this.rules.quarantineMs + HEAL_MS;
    this.#lastLossAtMs = nowMs;
  }

  /**
   * A server that has lost a counter of fencing tokens starts it at its clock. Where the servers of a majority lose their data one
   * after the other, that clock must be ahead of the existing counters.
   */
  isAhead(server: number, nowMs: number): boolean {
    const behindMs = this.latestClockMs - this.servers[server]!.clockMs;
    return nowMs - this.#lastLossAtMs > behindMs + 1_000;
  }

  get latestClockMs(): number {
    return Math.max(...this.servers.map(({ clockMs }) => clockMs));
  }

  /** The majority is away. No lock is granted meanwhile, so no server heals. */
  outage(nowMs: number, untilMs: number): void {
    this.outageUntilMs = untilMs;
    for (const server of this.servers) if (server.lostUntilMs > nowMs) server.lostUntilMs += untilMs - nowMs;
  }

  /** Server and replica do not reach each other for a while. Without a number: any. */
  disturb(nowMs: number, untilMs: number, { server, replica }: { server?: number; replica?: number }): void {
    this.#links.forEach((links, r) =>
      links.forEach((link, s) => {
        if ((server !== undefined && s !== server) || (replica !== undefined && r !== replica)) return;
        link.acquainted ||= nowMs - link.calmSinceMs >= ACQUAINTED_MS;
        link.calmSinceMs = Math.max(link.calmSinceMs, untilMs);
      }),
    );
  }

  /** A new process takes the place of the replica, and has connected to no server. */
  replace(replica: number, startAtMs: number): void {
    this.replicas[replica]!.startedAtMs = startAtMs;
    for (const link of this.#links[replica]!)
      Object.assign(link, { acquainted: false, calmSinceMs: startAtMs + BOOT_MS });
  }
}
