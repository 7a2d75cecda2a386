import type { PlannedAction, Trouble } from './faults.js';
import { Random } from './random.js';
import { FaultBudget } from './fault-budget.js';
import type { PlanRules } from './plan.js';

const DAY_MS = 24 * 3600 * 1000;

/** Builds a plan: its actions so far, the fault budget that is left, and the random numbers. */
export class PlanBuilder {
  readonly actions: PlannedAction[] = [];
  readonly random: Random;
  readonly budget: FaultBudget;
  readonly clocksMs: readonly number[];

  constructor(readonly rules: PlanRules) {
    this.random = new Random(rules.seed);
    this.clocksMs = Array.from({ length: rules.servers }, () =>
      rules.clocks ? this.random.between(-DAY_MS, DAY_MS) : 0,
    );
    this.budget = new FaultBudget(rules, this.clocksMs);
  }

  add(action: PlannedAction): void {
    this.actions.push(action);
  }

  /** Ends with the outage or with the run, if that is earlier. */
  until(nowMs: number, forMs: number): number {
    const { outageUntilMs } = this.budget;
    return Math.min(nowMs + forMs, nowMs < outageUntilMs ? outageUntilMs : this.rules.lengthMs);
  }

  /** Takes these servers away, from one replica or from all. Returns until when, or undefined where the budget forbids it. */
  away(servers: readonly number[], nowMs: number, forMs: number, replica?: number): number | undefined {
    const busy = servers.some((server) => this.budget.servers[server]!.busyUntilMs > nowMs);
    // One replica that loses a majority costs the other replicas no server.
    const alone = replica !== undefined && servers.length > 1;
    if (busy || !(alone || this.budget.mayBeAway(servers, nowMs))) return undefined;
    const untilMs = this.until(nowMs, forMs);
    for (const server of servers) {
      const own = this.budget.servers[server]!;
      own.busyUntilMs = untilMs + 200;
      own.awayUntilMs = Math.max(own.awayUntilMs, untilMs);
      this.budget.disturb(nowMs, untilMs, { server, ...(replica !== undefined && { replica }) });
    }
    return untilMs;
  }

  slowness(): Trouble {
    return { how: 'slow', delayMs: this.random.between(20, 400), jitterMs: this.random.between(0, 200) };
  }
}
