import type { EventOf } from '../events.js';
import { majorityUp, overlaps, settledAtMs, type Attempt, type Span, type Operations } from '../operations.js';
import { mayBePaused } from '../steerings.js';
import { tickName, tickOf } from '../tick-name.js';
import { heldOnServers } from '../traces.js';
import type { Findings, Violation } from '../verdict.js';

/**
 * P8: while a majority of the servers is up and a replica is alive to fire it, a tick runs, unless a running job or the rest
 * of a dead holder's ttl covers it, or its job is paused.
 *
 * Ticks that a replica was firing while it was paused or killed are not judged: it may have died with the claim.
 */
export function noLostTick(operations: Operations): Findings {
  const violations: Violation[] = [];
  const gaps: string[] = [];
  const fired = new Map<string, Attempt[]>();
  const run = new Set<string>();
  for (const attempt of operations.attempts) {
    const tick = tickOf(attempt.asked);
    if (tick === undefined) continue;
    if (attempt.began !== undefined) run.add(tick);
    const { trigger = 'schedule' } = attempt.asked;
    if (trigger === 'schedule') fired.set(tick, [...(fired.get(tick) ?? []), attempt]);
  }

  const dues = new Set(operations.due.map(({ keys, tickAtMs }) => tickName(keys, tickAtMs)));
  // A timer that is late because its machine was suspended may fire the tick after the last one that the history is about.
  const lastDueMs = Math.max(...operations.due.map(({ tickAtMs }) => tickAtMs));
  for (const [tick, [first]] of fired) {
    const isBeyond = operations.due.length > 0 && (first?.asked.tick?.atMs ?? 0) > lastDueMs;
    if (!dues.has(tick) && !isBeyond) gaps.push(`${tick} was fired and has never been due`);
  }
  let judged = 0;
  for (const due of operations.due) {
    const tick = tickName(due.keys, due.tickAtMs);
    const attempts = fired.get(tick) ?? [];
    const span = spanOf(due, attempts);
    if (span.toMs > operations.endAtMs || due.replicas.length === 0) continue;
    const firing = [...due.replicas, ...attempts.map(({ asked }) => asked.client)];
    if (disturbed(operations, firing, span) || attempts.some(gaveUp)) continue;
    for (const replica of due.replicas) {
      if (!attempts.some(({ asked }) => asked.client === replica) && !wasAwayByItsTimer(operations, replica, due))
        gaps.push(`${replica} has not fired ${due.tickAtMs}`);
    }
    if (!majorityUp(operations, span.fromMs, span.toMs)) continue;
    judged++;
    if (run.has(tick) || covered(operations, due, attempts, span)) continue;
    violations.push({
      what: `the tick ${due.tickAtMs} of "${due.keys.join(', ')}" ran nowhere`,
      events: [
        due,
        ...attempts.flatMap(({ asked, granted, refused }) => [asked, granted, refused].filter((e) => e !== undefined)),
      ],
    });
  }
  return { judged, violations, gaps };
}

/** From when the tick was due until everybody who fired it has settled. */
function spanOf(due: EventOf<'due'>, attempts: readonly Attempt[]): Span {
  const fromMs = Math.min(due.atMs, ...attempts.map(({ asked }) => asked.atMs));
  return {
    fromMs,
    toMs: Math.max(due.untilMs, ...attempts.map((attempt) => settledAtMs(attempt) ?? attempt.asked.atMs)),
  };
}

function disturbed({ clients, about }: Operations, firing: readonly string[], span: Span): boolean {
  return firing.some((name) => {
    const { killed, stopped, pauses = [] } = clients.get(name) ?? {};
    // Who is about to stop fires nothing any more.
    const goneAtMs = Math.min(killed?.atMs ?? Infinity, (stopped?.atMs ?? Infinity) - about.graceMs);
    return goneAtMs <= span.toMs || pauses.some((pause) => pause.fromMs <= span.toMs && pause.toMs >= span.fromMs);
  });
}

/** A machine that was suspended before has timers that come later by as much: until then the replica may have ended, or stand still. */
function wasAwayByItsTimer({ clients, about }: Operations, replica: string, { untilMs }: EventOf<'due'>): boolean {
  const { killed, stopped, pauses = [] } = clients.get(replica) ?? {};
  const before = pauses.filter(({ suspended, fromMs }) => suspended && fromMs <= untilMs);
  const lateMs = before.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
  if (pauses.some(({ fromMs, toMs }) => fromMs <= untilMs + lateMs && toMs >= untilMs)) return true;
  return Math.min(killed?.atMs ?? Infinity, (stopped?.atMs ?? Infinity) - about.graceMs) <= untilMs + lateMs;
}

/** Whether the replica did not want it any more: it was cancelled, or shut down. */
function gaveUp({ refused }: Attempt): boolean {
  return refused !== undefined && !['LOCK_CONTENDED', 'QUORUM_UNREACHABLE'].includes(refused.code);
}

function covered(operations: Operations, due: EventOf<'due'>, own: readonly Attempt[], span: Span): boolean {
  if (operations.removals.some(({ begun }) => due.keys.includes(begun.key))) return true;
  const [{ asked: { job } } = { asked: { job: undefined } }] = own;
  if (job !== undefined && mayBePaused(operations, job, span)) return true;
  return operations.attempts.some((attempt) => {
    if (own.includes(attempt) || !attempt.asked.keys.some((key) => due.keys.includes(key))) return false;
    const held = heldOnServers(operations, attempt);
    return held !== undefined && overlaps(held, span);
  });
}
