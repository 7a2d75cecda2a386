import type { FaultName, Trouble } from './faults.js';
import { BOOT_MS } from './fault-budget.js';
import type { PlanBuilder } from './plan-builder.js';

/** Between one replica and these servers. */
export function breakLinks(
  builder: PlanBuilder,
  fault: FaultName,
  replica: number,
  servers: readonly number[],
  nowMs: number,
  trouble: Trouble,
): void {
  if (builder.budget.replicas[replica]!.busyUntilMs > nowMs) return;
  const untilMs = builder.away(servers, nowMs, builder.random.between(300, 7_000), replica);
  if (untilMs === undefined) return;
  servers.forEach((server, index) => {
    builder.add({ do: 'link', replica, server, trouble, atMs: nowMs, ...(index === 0 && { fault }) });
    builder.add({ do: 'mend link', replica, server, atMs: untilMs });
  });
}

/** The process ends, and a new one takes its place. Returns whether that is in the plan. */
export function replace(
  builder: PlanBuilder,
  fault: FaultName,
  how: 'kill replica' | 'stop replica',
  replica: number,
  nowMs: number,
  downMs: number,
): boolean {
  const { budget, rules } = builder;
  const own = budget.replicas[replica]!;
  const startAtMs = budget.earliestStartMs(nowMs + downMs);
  if (own.busyUntilMs > nowMs || !budget.mayMissReplica(nowMs)) return false;
  if (startAtMs + BOOT_MS > rules.lengthMs) return false;
  own.busyUntilMs = startAtMs + BOOT_MS;
  budget.replace(replica, startAtMs);
  builder.add({ do: how, replica, atMs: nowMs, fault });
  builder.add({ do: 'start replica', replica, atMs: startAtMs });
  return true;
}

/** Mostly longer than a ttl. Some replicas are killed at the end of their pause. */
export function pause(builder: PlanBuilder, fault: FaultName, replica: number, nowMs: number, mayDie: boolean): void {
  const { budget, random } = builder;
  const own = budget.replicas[replica]!;
  if (own.busyUntilMs > nowMs || !budget.mayMissReplica(nowMs)) return;
  const untilMs = builder.until(nowMs, random.between(200, 6_000));
  budget.disturb(nowMs, untilMs, { replica });
  builder.add({ do: 'pause replica', replica, atMs: nowMs, fault });
  const dies = mayDie && random.chance(0.3) && replace(builder, 'replica killed', 'kill replica', replica, untilMs, 0);
  if (dies) return;
  own.busyUntilMs = untilMs;
  builder.add({ do: 'resume replica', replica, atMs: untilMs });
}

/** The clock of the replica is wrong for a while, within the clock tolerance. */
export function shiftClock(builder: PlanBuilder, fault: FaultName, replica: number, nowMs: number): void {
  const { budget, rules, random } = builder;
  const own = budget.replicas[replica]!;
  if (!rules.clocks || own.clockUntilMs > nowMs) return;
  const mostMs = rules.clockToleranceMs / 2 - 100;
  own.clockUntilMs = builder.until(nowMs, random.between(3_000, 15_000));
  builder.add({ do: 'replica clock', replica, offsetMs: random.between(-mostMs, mostMs), atMs: nowMs, fault });
  builder.add({ do: 'replica clock', replica, offsetMs: 0, atMs: own.clockUntilMs });
}
