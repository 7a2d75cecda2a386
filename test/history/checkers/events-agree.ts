import { type CountedEvent, type HistoryEvent } from '../events.js';
import type { Attempt, Client, Operations } from '../operations.js';
import type { Findings, Violation } from '../verdict.js';

/**
 * What a process has emitted is what has happened: as many grants, refusals and losses as its calls have seen. Only a process that
 * has shut down in good order is judged, because it has emitted everything.
 */
export function eventsAgree(operations: Operations): Findings {
  const violations: Violation[] = [];
  let judged = 0;
  for (const client of operations.clients.values()) {
    const { emitted, stopped } = client;
    if (emitted === undefined || stopped === undefined) continue;
    judged++;
    const attempts = operations.attempts.filter(({ asked }) => asked.client === client.name);
    for (const [event, { least, most }] of Object.entries(expected(attempts)) as [CountedEvent, Range][]) {
      const count = emitted.counts[event];
      if (count >= least && count <= most) continue;
      const what = `${client.name} has emitted "${event}" ${count} times, and its calls have seen ${least} to ${most}`;
      violations.push({ what, events: proofOf(client) });
    }
  }
  return { judged, violations };
}

interface Range {
  readonly least: number;
  readonly most: number;
}

function expected(attempts: readonly Attempt[]): Record<CountedEvent, Range> {
  const refused = (code: string): number => attempts.filter((attempt) => attempt.refused?.code === code).length;
  const granted = attempts.filter((attempt) => attempt.granted).length;
  const aborted = attempts.filter((attempt) => attempt.aborted).length;
  // A lock that was lost before its work began is granted, and its call rejects.
  const lostEarly = refused('LOCK_LOST');
  // A call that skips tells its caller neither that the lock was contended nor that the process shuts down.
  const unknown = refused('SHUTDOWN');
  return {
    acquired: { least: granted, most: granted + lostEarly },
    contended: { least: refused('LOCK_CONTENDED'), most: refused('LOCK_CONTENDED') + unknown },
    unreachable: { least: refused('QUORUM_UNREACHABLE'), most: refused('QUORUM_UNREACHABLE') },
    lost: { least: aborted, most: aborted + lostEarly },
  };
}

function proofOf({ emitted, stopped }: Client): readonly HistoryEvent[] {
  return [emitted, stopped].filter((event) => event !== undefined);
}
