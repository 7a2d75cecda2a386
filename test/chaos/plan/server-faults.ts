import type { FaultName } from './faults.js';
import type { PlanBuilder } from './plan-builder.js';

/** Well within the drift that the locks allow for, which is one in a hundred. */
const FASTEST_PPM = 4_000;

/** How long a restart takes. */
const RESTART_MS = 300;

/** The server dies, and starts again after a while. */
export function restart(
  builder: PlanBuilder,
  fault: FaultName,
  server: number,
  nowMs: number,
  downMs: number,
  data: boolean,
): void {
  const backAtMs = builder.until(nowMs, downMs);
  if (!data && !builder.budget.mayLose(server, nowMs, backAtMs)) return;
  if (builder.away([server], nowMs, downMs + RESTART_MS) === undefined) return;
  builder.add({ do: 'kill server', server, atMs: nowMs, fault });
  start(builder, server, nowMs, backAtMs, data);
}

/** All servers restart one after the other. No other fault hits servers meanwhile. */
export function roll(builder: PlanBuilder, fault: FaultName, nowMs: number, everyMs: number, data: boolean): void {
  const { budget, rules } = builder;
  const lengthMs = everyMs * rules.servers;
  if (budget.minority === 0 || nowMs + lengthMs > rules.lengthMs || nowMs < budget.outageUntilMs) return;
  const calm = budget.servers.every(({ busyUntilMs, awayUntilMs }, server) => {
    return busyUntilMs <= nowMs && awayUntilMs <= nowMs && (data || budget.mayLose(server, nowMs, nowMs + lengthMs));
  });
  if (!calm) return;
  budget.servers.forEach((own, server) => {
    const atMs = nowMs + server * everyMs;
    own.busyUntilMs = nowMs + lengthMs;
    own.awayUntilMs = atMs + RESTART_MS;
    budget.disturb(atMs, atMs + RESTART_MS, { server });
    builder.add({ do: 'kill server', server, atMs, ...(server === 0 && { fault }) });
    start(builder, server, atMs, atMs, data);
  });
}

export function stall(builder: PlanBuilder, fault: FaultName, server: number, nowMs: number): void {
  const untilMs = builder.away([server], nowMs, builder.random.between(200, 7_000));
  if (untilMs === undefined) return;
  builder.add({ do: 'stall server', server, atMs: nowMs, fault });
  builder.add({ do: 'resume server', server, atMs: untilMs });
}

/** Slow for all replicas. */
export function slow(builder: PlanBuilder, fault: FaultName, server: number, nowMs: number): void {
  const untilMs = builder.away([server], nowMs, builder.random.between(1_000, 7_000));
  if (untilMs === undefined) return;
  const trouble = builder.slowness();
  for (let replica = 0; replica < builder.rules.replicas; replica++) {
    builder.add({ do: 'link', replica, server, trouble, atMs: nowMs, ...(replica === 0 && { fault }) });
    builder.add({ do: 'mend link', replica, server, atMs: untilMs });
  }
}

export function flush(builder: PlanBuilder, fault: FaultName, server: number, nowMs: number): void {
  if (!builder.budget.mayLose(server, nowMs, nowMs) || !builder.budget.isAhead(server, nowMs)) return;
  if (builder.away([server], nowMs, 200) === undefined) return;
  forget(builder, server, nowMs, nowMs);
  builder.add({ do: 'flush', server, atMs: nowMs, fault });
}

export function flushScripts(builder: PlanBuilder, fault: FaultName, server: number, nowMs: number): void {
  if (builder.away([server], nowMs, 50) === undefined) return;
  builder.add({ do: 'flush scripts', server, atMs: nowMs, fault });
}

export function changeRate(builder: PlanBuilder, fault: FaultName, server: number, nowMs: number): void {
  if (!builder.rules.clocks) return;
  const ppm = builder.random.between(FASTEST_PPM / 4, FASTEST_PPM) * (builder.random.chance(0.5) ? 1 : -1);
  builder.add({ do: 'clock rate', server, ppm, atMs: nowMs, fault });
  builder.add({ do: 'clock rate', server, ppm: 0, atMs: builder.until(nowMs, 15_000) });
}

function start(builder: PlanBuilder, server: number, nowMs: number, backAtMs: number, data: boolean): void {
  if (data) {
    builder.add({ do: 'start server', server, data, atMs: backAtMs });
    return;
  }
  forget(builder, server, nowMs, backAtMs);
  const clockMs = builder.rules.clocks ? builder.budget.latestClockMs + builder.random.between(0, 2_000) : 0;
  builder.budget.servers[server]!.clockMs = clockMs;
  builder.add({ do: 'start server', server, data, clockMs, atMs: backAtMs });
}

/** Away until the replicas trust it again. */
function forget({ budget, rules }: PlanBuilder, server: number, nowMs: number, backAtMs: number): void {
  budget.lose(server, nowMs, backAtMs);
  const own = budget.servers[server]!;
  own.awayUntilMs = Math.max(own.awayUntilMs, backAtMs + rules.quarantineMs);
}
