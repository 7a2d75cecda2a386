import type { HistoryEvent } from '../events.js';
import { latestMs, nodeTimeoutMs, type Attempt, type Operations } from '../operations.js';
import type { Findings, Violation } from '../verdict.js';

/**
 * P5: acquire settles within its wait and two node timeouts, extend and release within one, a call that reads the register of a job within one,
 * and one that changes it, which reads it first, within two; a wait that was cancelled ends
 * at once. What falls into a pause of the process counts from its end.
 */
export function settlesInTime(operations: Operations): Findings {
  const violations: Violation[] = [];
  let judged = 0;

  function expect(
    what: string,
    attempt: Attempt,
    untilMs: number,
    begun: HistoryEvent,
    settled: HistoryEvent | undefined,
  ): void {
    const killedAtMs = operations.clients.get(attempt.asked.client)?.killed?.atMs ?? Infinity;
    const toMs = settled?.atMs ?? Math.min(killedAtMs, operations.endAtMs);
    if (settled !== undefined || toMs > untilMs) judged++;
    if (toMs <= untilMs) return;
    violations.push({
      what: `${what} of attempt ${attempt.asked.attempt} had to settle by ${untilMs}, and ${
        settled ? `took until ${toMs}` : `was still open at ${toMs}`
      }`,
      events: settled ? [begun, settled] : [begun],
    });
  }

  for (const attempt of operations.attempts) {
    const { asked, cancelled, granted, refused, extensions, releasing, released } = attempt;
    const { client, waitMs } = asked;
    const ownMs = nodeTimeoutMs(asked, asked.ttlMs);
    // At the very end there may be two questions in a row, the votes and the fencing token, each with a timer of its own.
    const waitUntilMs =
      latestMs(operations, client, asked.atMs, (waitMs ?? Infinity) + 2 * ownMs, 2 * ownMs) +
      operations.about.toleranceMs;
    const cancelledMs = cancelled ? latestMs(operations, client, cancelled.atMs, 0, 0) : Infinity;
    expect('acquire', attempt, Math.min(waitUntilMs, cancelledMs), asked, granted ?? refused);
    for (const { begun, settled } of extensions) {
      const onceMs = nodeTimeoutMs(asked, begun.ttlMs);
      expect('extend', attempt, latestMs(operations, client, begun.atMs, onceMs, onceMs), begun, settled);
    }
    if (releasing) {
      // Where the machine was suspended under the lock, its process first asks the servers whether it still holds it.
      const suspended = operations.clients
        .get(client)
        ?.pauses.some((pause) => pause.suspended && pause.toMs >= asked.atMs);
      const onceMs = suspended ? 2 * ownMs : ownMs;
      expect('release', attempt, latestMs(operations, client, releasing.atMs, onceMs, onceMs), releasing, released);
    }
  }
  for (const { begun, settled } of [...operations.steerings, ...operations.readings]) {
    const { client, atMs, nodeTimeoutMs: onceMs, call } = begun;
    const mostMs = begun.kind === 'reading' ? onceMs : 2 * onceMs;
    const killedAtMs = operations.clients.get(client)?.killed?.atMs ?? Infinity;
    const toMs = settled?.atMs ?? Math.min(killedAtMs, operations.endAtMs);
    const untilMs = latestMs(operations, client, atMs, mostMs, mostMs);
    if (settled !== undefined || toMs > untilMs) judged++;
    if (toMs <= untilMs) continue;
    const what = `call ${call} on the register of "${begun.job}" had to settle by ${untilMs}, and had not by ${toMs}`;
    violations.push({ what, events: settled ? [begun, settled] : [begun] });
  }
  return { judged, violations };
}
