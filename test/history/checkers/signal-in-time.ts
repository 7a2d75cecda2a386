import { latestMs, nodeTimeoutMs, suspendedMs, type Lock, type Operations } from '../operations.js';
import type { Findings, Violation } from '../verdict.js';

/**
 * P6, P19: no lock outlives its validity unnoticed. It is handed out valid, work begins only while it is valid, and its signal
 * aborts before the validity ends, or, where its process stood still then, as soon as that goes on. And what an operator has
 * removed everywhere is lost: it is not put back and counted.
 */
export function signalInTime(operations: Operations): Findings {
  const violations: Violation[] = [];
  for (const lock of operations.locks) {
    const { asked, granted, extended, began, aborted, releasing } = lock;
    const { toleranceMs } = operations.about;
    const { validUntilMs } = extended.at(-1) ?? granted;
    const proof = [asked, granted, ...extended.slice(-1)];
    const isTold = wasTakenMeanwhile(operations, lock);
    if (!isTold && granted.atMs > granted.validUntilMs + toleranceMs) {
      violations.push({ what: 'a lock was handed out after its validity was over', events: proof });
    }
    if (began !== undefined && began.atMs > Math.min(validUntilMs, aborted?.atMs ?? Infinity) + toleranceMs) {
      const events = aborted ? [...proof, aborted, began] : [...proof, began];
      violations.push({ what: 'work began under a lock that was not valid any more', events });
    }
    // An end that comes nearer is no revival: whoever asks for less is bound by it at once. Nor is one that is further away by as
    // much as the machine was suspended, which its clock has not counted.
    const revived = extended.find((event, index) => {
      const beforeMs = (extended[index - 1] ?? granted).validUntilMs;
      return (
        event.validUntilMs > beforeMs + suspendedMs(operations, lock, event.atMs) &&
        isRemoved(operations, lock, event.atMs)
      );
    });
    if (revived !== undefined) {
      violations.push({ what: 'a lock was extended that had been removed everywhere', events: [...proof, revived] });
    }
    // Who has given the lock back, or is not there any more, need not be told.
    const { killed, stopped } = operations.clients.get(asked.client) ?? {};
    const overMs = Math.min(...[aborted, releasing, killed, stopped].map((event) => event?.atMs ?? operations.endAtMs));
    const byMs = toldByMs(operations, lock, validUntilMs);
    if (isTold || overMs <= byMs) continue;
    violations.push({
      what: `the signal of attempt ${asked.attempt} had to abort by ${byMs}, and had not by ${overMs}`,
      events: aborted ? [...proof, aborted] : proof,
    });
  }
  return { judged: operations.locks.length, violations };
}

/**
 * When the signal must have aborted. The clock of a machine that was suspended has not counted that time, so its timers come
 * later by as much; until the servers have told it more, it believes in nothing. An extension that is confirmed meanwhile shows in
 * no belief, and counts all the same: one that a call has asked for, or one of the lock's own, which it may have sent up to then.
 */
function toldByMs(operations: Operations, lock: Lock, validUntilMs: number): number {
  const { asked, granted, extensions } = lock;
  const ttlMs = Math.max(asked.ttlMs, ...extensions.map(({ begun }) => begun.ttlMs));
  const askedForMs = extensions.map(({ begun }) => begun.atMs + begun.ttlMs);
  let untilMs = validUntilMs;
  for (const { suspended, fromMs, toMs } of operations.clients.get(asked.client)?.pauses ?? []) {
    if (!suspended || toMs < granted.atMs || fromMs > untilMs) continue;
    untilMs = Math.max(untilMs, fromMs + ttlMs, ...askedForMs) + toMs - Math.max(granted.atMs, fromMs);
  }
  return latestMs(operations, asked.client, untilMs, 0, 0);
}

/** Whether its own process removed it by force while it was granted: then it is handed out with a signal that has aborted. */
function wasTakenMeanwhile({ removals, about }: Operations, { asked, granted, aborted }: Lock): boolean {
  if (aborted?.reason !== 'taken' || aborted.atMs > granted.atMs + about.toleranceMs) return false;
  return removals.some(({ begun, settled }) => {
    const isOwn = begun.client === asked.client && asked.keys.includes(begun.key);
    return isOwn && begun.atMs <= granted.atMs && (settled?.atMs ?? Infinity) + about.toleranceMs >= granted.atMs;
  });
}

/** Whether all servers had forgotten this lock so long ago that no answer of before can still be on its way. */
function isRemoved(operations: Operations, { asked, granted }: Lock, nowMs: number): boolean {
  return operations.removals.some(({ begun, settled }) => {
    if (settled?.everywhere !== true || !asked.keys.includes(begun.key)) return false;
    const repliedMs = latestMs(operations, asked.client, settled.atMs, nodeTimeoutMs(asked, asked.ttlMs), 0);
    return granted.atMs < begun.atMs && nowMs > repliedMs;
  });
}
