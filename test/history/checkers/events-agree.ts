import type { CountedEvent, CountedJobEvent, HistoryEvent } from '../events.js';
import type { Attempt, Client, Operations } from '../operations.js';
import type { Findings, Violation } from '../verdict.js';

/**
 * What a process has emitted is what has happened: as many grants, refusals, losses, runs and skips as its calls have seen. Only a process that
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
    for (const [event, { least, most }] of Object.entries(expected(attempts)) as [
      CountedEvent | CountedJobEvent,
      Range,
    ][]) {
      const count = emitted.counts[event];
      if (count === undefined) continue;
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

function expected(attempts: readonly Attempt[]): Record<CountedEvent | CountedJobEvent, Range> {
  const count = (isOne: (attempt: Attempt) => unknown): number => attempts.filter(isOne).length;
  const refused = (code: string): number => count((attempt) => attempt.refused?.code === code);
  const granted = count((attempt) => attempt.granted);
  const aborted = count((attempt) => attempt.aborted);
  // A lock that was lost before its work began is granted, and its call rejects.
  const lostEarly = refused('LOCK_LOST');
  // A call that skips tells its caller neither that the lock was contended nor that the process shuts down.
  const unknown = refused('SHUTDOWN');
  return {
    acquired: { least: granted, most: granted + lostEarly },
    contended: { least: refused('LOCK_CONTENDED'), most: refused('LOCK_CONTENDED') + unknown },
    unreachable: { least: refused('QUORUM_UNREACHABLE'), most: refused('QUORUM_UNREACHABLE') },
    lost: { least: aborted, most: aborted + lostEarly },
    ...expectedOfJobs(count),
  };
}

function expectedOfJobs(count: (isOne: (attempt: Attempt) => unknown) => number): Record<CountedJobEvent, Range> {
  const skips = (...codes: string[]): number =>
    count(({ asked, refused }) => asked.trigger === 'schedule' && refused && codes.includes(refused.code));
  const isRun = ({ asked, began }: Attempt): boolean => asked.job !== undefined && began !== undefined;
  const runs = count(isRun);
  const lostEarly = count(({ asked, refused }) => asked.job !== undefined && refused?.code === 'LOCK_LOST');
  const failed = count((attempt) => isRun(attempt) && attempt.ended?.failed);
  const aborted = count((attempt) => isRun(attempt) && attempt.aborted && !attempt.ended?.failed);
  // A tick that meets no majority is skipped, also where its call is made to throw.
  const madeUpFor = count(
    ({ asked: { trigger }, refused }) =>
      (trigger === 'catch-up' || trigger === 'again') && refused?.code === 'QUORUM_UNREACHABLE',
  );
  const skipped = skips('LOCK_CONTENDED', 'QUORUM_UNREACHABLE') + madeUpFor;
  return {
    skipped: { least: skipped, most: skipped + skips('SHUTDOWN') },
    jobStarted: { least: runs, most: runs + lostEarly },
    // The work of a lock that was lost may end well before it hears of that.
    jobSucceeded: { least: runs - failed - aborted, most: runs - failed },
    jobFailed: { least: failed, most: failed + aborted + lostEarly },
  };
}

function proofOf({ emitted, stopped }: Client): readonly HistoryEvent[] {
  return [emitted, stopped].filter((event) => event !== undefined);
}
