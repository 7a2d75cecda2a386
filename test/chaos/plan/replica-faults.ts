import type { FaultName, Trouble } from './faults.js';
import { BOOT_MS } from './fault-budget.js';
import type { Screenplay } from './plan-builder.js';

/** Between one replica and these servers. */
export function breakLinks(
  play: Screenplay,
  fault: FaultName,
  replica: number,
  servers: readonly number[],
  nowMs: number,
  trouble: Trouble,
): void {
  if (play.ground.replicas[replica]!.busyUntilMs > nowMs) return;
  const untilMs = play.away(servers, nowMs, play.dice.between(300, 7_000), replica);
  if (untilMs === undefined) return;
  servers.forEach((server, index) => {
    play.add({ do: 'link', replica, server, trouble, atMs: nowMs, ...(index === 0 && { fault }) });
    play.add({ do: 'mend link', replica, server, atMs: untilMs });
  });
}

/** It ends, and another process takes its place. Returns whether it does. */
export function replace(
  play: Screenplay,
  fault: FaultName,
  how: 'kill replica' | 'stop replica',
  replica: number,
  nowMs: number,
  downMs: number,
): boolean {
  const { ground, rules } = play;
  const own = ground.replicas[replica]!;
  const startAtMs = ground.earliestStartMs(nowMs + downMs);
  if (own.busyUntilMs > nowMs || !ground.mayMissReplica(nowMs)) return false;
  if (startAtMs + BOOT_MS > rules.lengthMs) return false;
  own.busyUntilMs = startAtMs + BOOT_MS;
  ground.replace(replica, startAtMs);
  play.add({ do: how, replica, atMs: nowMs, fault });
  play.add({ do: 'start replica', replica, atMs: startAtMs });
  return true;
}

/** Past its ttl, mostly. Some do not live to see the end of it. */
export function pause(play: Screenplay, fault: FaultName, replica: number, nowMs: number, mayDie: boolean): void {
  const { ground, dice } = play;
  const own = ground.replicas[replica]!;
  if (own.busyUntilMs > nowMs || !ground.mayMissReplica(nowMs)) return;
  const untilMs = play.until(nowMs, dice.between(200, 6_000));
  ground.disturb(nowMs, untilMs, { replica });
  play.add({ do: 'pause replica', replica, atMs: nowMs, fault });
  const dies = mayDie && dice.chance(0.3) && replace(play, 'replica killed', 'kill replica', replica, untilMs, 0);
  if (dies) return;
  own.busyUntilMs = untilMs;
  play.add({ do: 'resume replica', replica, atMs: untilMs });
}

/** Its clock is wrong for a while, by no more than replicas may be apart. */
export function shiftClock(play: Screenplay, fault: FaultName, replica: number, nowMs: number): void {
  const { ground, rules, dice } = play;
  const own = ground.replicas[replica]!;
  if (!rules.clocks || own.clockUntilMs > nowMs) return;
  const mostMs = rules.clockToleranceMs / 2 - 100;
  own.clockUntilMs = play.until(nowMs, dice.between(3_000, 15_000));
  play.add({ do: 'replica clock', replica, offsetMs: dice.between(-mostMs, mostMs), atMs: nowMs, fault });
  play.add({ do: 'replica clock', replica, offsetMs: 0, atMs: own.clockUntilMs });
}
