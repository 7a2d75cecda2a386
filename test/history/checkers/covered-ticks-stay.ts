import type { HistoryEvent } from '../events.js';
import { majorityOf, reachesAll, surelyKnownBy } from '../knowledge.js';
import type { Lock, Operations } from '../operations.js';
import { isInEveryMajority, runKnownBy } from '../runs.js';
import { surePause } from '../steerings.js';
import type { Findings, Violation } from '../verdict.js';

/**
 * P20: no tick is made up for that needs no run: because it or a later one ran, or came while the job was paused, or because a process has noted
 * so, and a majority of the servers knew it.
 */
export function coveredTicksStay(operations: Operations): Findings {
  const violations: Violation[] = [];
  const catchUps = operations.attempts.filter(({ asked }) => asked.trigger === 'catch-up');
  for (const lock of operations.locks) {
    const { asked, granted } = lock;
    const { tick, job } = asked;
    if (asked.trigger !== 'catch-up' || tick === undefined || job === undefined) continue;
    for (const events of reasons(operations, job, tick.atMs, lock)) {
      const what = `attempt ${asked.attempt} makes up for the tick ${tick.atMs} of "${job}", which needs no run`;
      violations.push({ what, events: [...events, asked, granted] });
    }
  }
  return { judged: catchUps.length, violations };
}

function reasons(operations: Operations, job: string, tickAtMs: number, { asked, granted }: Lock): HistoryEvent[][] {
  const runs = operations.locks.filter((other) => {
    if (other.asked.job !== job || other.granted.atMs > asked.atMs) return false;
    if (other.asked.tick === undefined || other.asked.tick.atMs < tickAtMs) return false;
    return isInEveryMajority(operations, runKnownBy(operations, other, granted.atMs));
  });
  const covers = operations.steerings.filter(({ begun }) => {
    if (begun.what !== 'cover' || begun.job !== job || (begun.tickAtMs ?? 0) < tickAtMs) return false;
    const told = { client: begun.client, fromMs: begun.atMs, toMs: begun.atMs };
    // No majority has confirmed it, so it must have reached all.
    if (!reachesAll(operations, told, asked.atMs)) return false;
    return isInEveryMajority(operations, surelyKnownBy(operations, { ...told, toAll: true }, granted.atMs));
  });
  return [
    ...runs.map((other): HistoryEvent[] => [other.asked, other.granted]),
    ...covers.map(({ begun }): HistoryEvent[] => [begun]),
    ...refusedAsPaused(operations, job, tickAtMs, { asked, granted }),
  ];
}

/** The servers that have refused it as paused have noted its tick: a majority, where all of them knew of the pause. */
function refusedAsPaused(
  operations: Operations,
  job: string,
  tickAtMs: number,
  { asked: later, granted }: Pick<Lock, 'asked' | 'granted'>,
): HistoryEvent[][] {
  return operations.attempts.flatMap(({ asked, refused }): HistoryEvent[][] => {
    if (asked.job !== job || refused?.reason !== 'paused' || refused.atMs > later.atMs) return [];
    if (asked.tick === undefined || asked.tick.atMs < tickAtMs) return [];
    const pause = surePause(operations, job, { fromMs: asked.atMs, toMs: refused.atMs });
    if (pause?.settled === undefined) return [];
    const { begun, settled } = pause;
    const told = { client: begun.client, fromMs: begun.atMs, toMs: settled.atMs };
    const isWhole = reachesAll(operations, told, asked.atMs) && !operations.lost.some(({ atMs }) => atMs >= begun.atMs);
    const known = majorityOf(operations.about.servers);
    return isWhole && granted.atMs > refused.atMs && isInEveryMajority(operations, known)
      ? [[begun, asked, refused]]
      : [];
  });
}
