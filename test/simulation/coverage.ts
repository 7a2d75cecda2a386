import type { CheckerName } from '../history/events.js';
import type { Verdict } from '../history/verdict.js';
import type { Outcome } from './schedule.js';

/** What a checker has said of many schedules. */
export interface CheckerTally {
  holds: number;
  violated: number;
  outside: number;
  nothing: number;
  incomplete: number;
  judged: number;
}

/** What many schedules were made of, and what was said of them. Plain JSON, so that it can be added up across processes. */
export interface Tally {
  schedules: number;
  steps: number;
  events: number;
  readonly checkers: Partial<Record<CheckerName, CheckerTally>>;
  /** How often something has happened that schedules are there for. */
  readonly coverage: Record<string, number>;
}

export function newTally(): Tally {
  return { schedules: 0, steps: 0, events: 0, checkers: {}, coverage: {} };
}

export function addOutcome(tally: Tally, outcome: Outcome): void {
  tally.schedules++;
  tally.steps += outcome.steps;
  tally.events += outcome.history.events.length;
  count(tally, `profile: ${outcome.plan.profile}`);
  for (const [what, times] of outcome.coverage) count(tally, what, times);
  for (const verdict of outcome.verdicts) addVerdict(tally, verdict);
  countEvents(tally, outcome);
}

export function addTally(sum: Tally, other: Tally): void {
  sum.schedules += other.schedules;
  sum.steps += other.steps;
  sum.events += other.events;
  for (const [what, times] of Object.entries(other.coverage)) count(sum, what, times);
  for (const [name, more] of Object.entries(other.checkers) as [CheckerName, CheckerTally][]) {
    const tally = checkerTally(sum, name);
    for (const field of Object.keys(more) as (keyof CheckerTally)[]) tally[field] += more[field];
  }
}

function addVerdict(tally: Tally, verdict: Verdict): void {
  const checker = checkerTally(tally, verdict.checker);
  checker[verdict.outcome === 'unknown' ? verdict.why : verdict.outcome]++;
  if (verdict.outcome === 'holds') checker.judged += verdict.judged;
}

function checkerTally(tally: Tally, name: CheckerName): CheckerTally {
  return (tally.checkers[name] ??= { holds: 0, violated: 0, outside: 0, nothing: 0, incomplete: 0, judged: 0 });
}

function count(tally: Tally, what: string, times = 1): void {
  tally.coverage[what] = (tally.coverage[what] ?? 0) + times;
}

function countEvents(tally: Tally, { history }: Outcome): void {
  const lastEnd = new Map<string, string>();
  const keysOf = new Map<number, readonly string[]>();
  const ticks = new Set<number>();
  const triggers = new Map<number, string>();
  const changes = new Map<number, string>();
  for (const event of history.events) {
    switch (event.kind) {
      case 'asked':
        keysOf.set(event.attempt, event.keys);
        if (event.tick && event.trigger === 'schedule') ticks.add(event.attempt);
        if (event.trigger) triggers.set(event.attempt, event.trigger);
        count(tally, 'asked');
        break;
      case 'granted':
        count(tally, 'granted');
        if ((keysOf.get(event.attempt) ?? []).some((key) => lastEnd.get(key) === 'lost')) {
          count(tally, 'taken over from one who had lost it');
        }
        for (const key of keysOf.get(event.attempt) ?? []) lastEnd.set(key, 'granted');
        break;
      case 'refused':
        count(tally, `refused: ${event.code}`);
        if (triggers.has(event.attempt)) count(tally, `${triggers.get(event.attempt)}: ${event.reason ?? event.code}`);
        if (ticks.has(event.attempt) && event.code === 'LOCK_CONTENDED') count(tally, 'tick skipped');
        break;
      case 'aborted':
        count(tally, `aborted: ${event.reason}`);
        for (const key of keysOf.get(event.attempt) ?? []) lastEnd.set(key, 'lost');
        break;
      case 'extended':
        count(tally, 'extended');
        break;
      case 'began':
        if (ticks.has(event.attempt)) count(tally, 'tick run');
        if (triggers.has(event.attempt)) count(tally, `${triggers.get(event.attempt)}: run`);
        break;
      case 'steering':
        changes.set(event.call, event.what);
        break;
      case 'steered':
        count(tally, `${changes.get(event.call)}: ${event.code ?? 'done'}`);
        break;
      case 'readSettled':
        count(tally, `read: ${event.code ?? 'done'}`);
        for (const { outcome } of event.record?.runs ?? []) count(tally, `run shown as ${outcome}`);
        if (event.record !== undefined && event.record.pausedLeftMs !== 0) count(tally, 'job shown as paused');
        break;
      case 'lost':
        count(tally, 'data lost');
        break;
      default:
        break;
    }
  }
}
