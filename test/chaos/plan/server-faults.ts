import type { FaultName } from './faults.js';
import type { Screenplay } from './plan-builder.js';

/** Well within the drift that the locks allow for, which is one in a hundred. */
const FASTEST_PPM = 4_000;

/** What a restart takes. */
const RESTART_MS = 300;

/** It dies, and comes back after a while. */
export function restart(
  play: Screenplay,
  fault: FaultName,
  server: number,
  nowMs: number,
  downMs: number,
  data: boolean,
): void {
  const backAtMs = play.until(nowMs, downMs);
  if (!data && !play.ground.mayLose(server, nowMs, backAtMs)) return;
  if (play.away([server], nowMs, downMs + RESTART_MS) === undefined) return;
  play.add({ do: 'kill server', server, atMs: nowMs, fault });
  start(play, server, nowMs, backAtMs, data);
}

/** One after the other, and nothing else to the servers meanwhile. */
export function roll(play: Screenplay, fault: FaultName, nowMs: number, everyMs: number, data: boolean): void {
  const { ground, rules } = play;
  const lengthMs = everyMs * rules.servers;
  if (ground.minority === 0 || nowMs + lengthMs > rules.lengthMs || nowMs < ground.stormUntilMs) return;
  const calm = ground.servers.every(({ busyUntilMs, awayUntilMs }, server) => {
    return busyUntilMs <= nowMs && awayUntilMs <= nowMs && (data || ground.mayLose(server, nowMs, nowMs + lengthMs));
  });
  if (!calm) return;
  ground.servers.forEach((own, server) => {
    const atMs = nowMs + server * everyMs;
    own.busyUntilMs = nowMs + lengthMs;
    own.awayUntilMs = atMs + RESTART_MS;
    ground.disturb(atMs, atMs + RESTART_MS, { server });
    play.add({ do: 'kill server', server, atMs, ...(server === 0 && { fault }) });
    start(play, server, atMs, atMs, data);
  });
}

export function stall(play: Screenplay, fault: FaultName, server: number, nowMs: number): void {
  const untilMs = play.away([server], nowMs, play.dice.between(200, 7_000));
  if (untilMs === undefined) return;
  play.add({ do: 'stall server', server, atMs: nowMs, fault });
  play.add({ do: 'resume server', server, atMs: untilMs });
}

/** For everybody. */
export function slow(play: Screenplay, fault: FaultName, server: number, nowMs: number): void {
  const untilMs = play.away([server], nowMs, play.dice.between(1_000, 7_000));
  if (untilMs === undefined) return;
  const trouble = play.slowness();
  for (let replica = 0; replica < play.rules.replicas; replica++) {
    play.add({ do: 'link', replica, server, trouble, atMs: nowMs, ...(replica === 0 && { fault }) });
    play.add({ do: 'mend link', replica, server, atMs: untilMs });
  }
}

export function flush(play: Screenplay, fault: FaultName, server: number, nowMs: number): void {
  if (!play.ground.mayLose(server, nowMs, nowMs) || !play.ground.isAhead(server, nowMs)) return;
  if (play.away([server], nowMs, 200) === undefined) return;
  forget(play, server, nowMs, nowMs);
  play.add({ do: 'flush', server, atMs: nowMs, fault });
}

export function flushScripts(play: Screenplay, fault: FaultName, server: number, nowMs: number): void {
  if (play.away([server], nowMs, 50) === undefined) return;
  play.add({ do: 'flush scripts', server, atMs: nowMs, fault });
}

export function changeRate(play: Screenplay, fault: FaultName, server: number, nowMs: number): void {
  if (!play.rules.clocks) return;
  const ppm = play.dice.between(FASTEST_PPM / 4, FASTEST_PPM) * (play.dice.chance(0.5) ? 1 : -1);
  play.add({ do: 'clock rate', server, ppm, atMs: nowMs, fault });
  play.add({ do: 'clock rate', server, ppm: 0, atMs: play.until(nowMs, 15_000) });
}

function start(play: Screenplay, server: number, nowMs: number, backAtMs: number, data: boolean): void {
  if (data) {
    play.add({ do: 'start server', server, data, atMs: backAtMs });
    return;
  }
  forget(play, server, nowMs, backAtMs);
  const clockMs = play.rules.clocks ? play.ground.latestClockMs + play.dice.between(0, 2_000) : 0;
  play.ground.servers[server]!.clockMs = clockMs;
  play.add({ do: 'start server', server, data, clockMs, atMs: backAtMs });
}

/** Away until it is trusted again. */
function forget({ ground, rules }: Screenplay, server: number, nowMs: number, backAtMs: number): void {
  ground.lose(server, nowMs, backAtMs);
  const own = ground.servers[server]!;
  own.awayUntilMs = Math.max(own.awayUntilMs, backAtMs + rules.guardMs);
}
