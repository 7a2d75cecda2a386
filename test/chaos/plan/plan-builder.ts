import type { Act, Trouble } from './faults.js';
import { Dice } from './random.js';
import { Ground } from './fault-budget.js';
import type { PlanRules } from './plan.js';

const DAY_MS = 24 * 3600 * 1000;

/** A plan that is being written: what is in it so far, what that does to whom, and the dice. */
export class Screenplay {
  readonly acts: Act[] = [];
  readonly dice: Dice;
  readonly ground: Ground;
  readonly clocksMs: readonly number[];

  constructor(readonly rules: PlanRules) {
    this.dice = new Dice(rules.seed);
    this.clocksMs = Array.from({ length: rules.servers }, () =>
      rules.clocks ? this.dice.between(-DAY_MS, DAY_MS) : 0,
    );
    this.ground = new Ground(rules, this.clocksMs);
  }

  add(act: Act): void {
    this.acts.push(act);
  }

  /** Not beyond the end of a storm, nor of all. */
  until(nowMs: number, forMs: number): number {
    const { stormUntilMs } = this.ground;
    return Math.min(nowMs + forMs, nowMs < stormUntilMs ? stormUntilMs : this.rules.lengthMs);
  }

  /** Takes these servers out, for one replica or all of them. Returns until when, or undefined where that is too much. */
  away(servers: readonly number[], nowMs: number, forMs: number, replica?: number): number | undefined {
    const busy = servers.some((server) => this.ground.servers[server]!.busyUntilMs > nowMs);
    // Who is alone with a minority takes nothing from the others.
    const alone = replica !== undefined && servers.length > 1;
    if (busy || !(alone || this.ground.mayBeAway(servers, nowMs))) return undefined;
    const untilMs = this.until(nowMs, forMs);
    for (const server of servers) {
      const own = this.ground.servers[server]!;
      own.busyUntilMs = untilMs + 200;
      own.awayUntilMs = Math.max(own.awayUntilMs, untilMs);
      this.ground.disturb(nowMs, untilMs, { server, ...(replica !== undefined && { replica }) });
    }
    return untilMs;
  }

  slowness(): Trouble {
    return { how: 'slow', delayMs: this.dice.between(20, 400), jitterMs: this.dice.between(0, 200) };
  }
}
