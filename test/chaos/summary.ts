import type { History, HistoryEvent } from '../history/events.js';
import { read } from '../history/read.js';
import type { Verdict } from '../history/verdict.js';
import { pausesIn } from './assemble/assemble.js';
import type { ChaosOptions } from './options.js';
import type { ChaosOutcome } from './run.js';
import type { Outcome } from './environment/environment.js';

const MOST_SHOWN = 5;

/** No promise was violated, no verdict is unknown, and no process ended unexpectedly. */
export function isFine({ verdicts, troubles }: Outcome): boolean {
  return troubles.length === 0 && verdicts.every(({ outcome }) => outcome === 'holds');
}

/** The summary of a run, for people. */
export function summaryOf(options: ChaosOptions, outcome: ChaosOutcome, history: string): string {
  const { verdicts, faults, troubles, remarks, lives } = outcome;
  const { events } = outcome.history;
  const pauses = pausesIn(events);
  const longestS = Math.max(0, ...pauses.map(({ fromMs, toMs }) => toMs - fromMs)) / 1_000;
  const rows: [string, string | number][] = [
    ['seed', options.seed],
    ['length', `${options.minutes} min`],
    ['servers', options.servers],
    ['replicas', `${options.replicas}, in ${lives.length} processes one after the other`],
    ['restart guard', options.restartGuard],
    ['asked', countOf(events, 'asked')],
    ['granted', countOf(events, 'granted')],
    ['refused', refusals(events)],
    ['takeovers', `${takeovers(events)} (granted to another process than before)`],
    ['extended', countOf(events, 'extended')],
    ['lost', countOf(events, 'aborted')],
    ['woke up without its lock', awakenings(outcome.history)],
    ['waits', waits(events)],
    ['ticks run', ticksRun(events)],
    ['pauses', `${pauses.length} times a process was paused, for up to ${longestS.toFixed(1)} s`],
    [
      'losses of data',
      `${countOf(events, 'lost')} (a loss without a witness, because a replica has only just started, is left out)`,
    ],
    ['faults', [...faults.values()].reduce((sum, count) => sum + count, 0)],
    ...[...faults].sort().map(([name, count]): [string, number] => [`  ${name}`, count]),
  ];
  const lines = [
    ...rows.map(([name, value]) => `${name.padEnd(32)}${value}`),
    '',
    ...verdicts.map(lineOf),
    ...verdicts.flatMap((verdict) => (verdict.outcome === 'violated' ? proofsOf(verdict) : [])),
    ...troubles.map((text) => `TROUBLE ${text}`),
    ...remarks.map((text) => `note: ${text}`),
    '',
    `${isFine(outcome) ? 'No violation' : 'FAILED'}: seed ${options.seed}, history in ${history}`,
  ];
  return `${lines.join('\n')}\n`;
}

function lineOf(verdict: Verdict): string {
  const name = verdict.checker.padEnd(32);
  switch (verdict.outcome) {
    case 'holds':
      return `${name}holds (${verdict.judged} judged)`;
    case 'violated':
      return `${name}VIOLATED ${verdict.violations.length} times (${verdict.judged} judged)`;
    case 'unknown':
      return `${name}UNKNOWN (${verdict.why}): ${verdict.reason}`;
    default:
      return verdict satisfies never;
  }
}

function proofsOf({ checker, violations }: Extract<Verdict, { outcome: 'violated' }>): string[] {
  return violations.slice(0, MOST_SHOWN).flatMap(({ what, events }) => {
    return ['', `${checker}: ${what}`, ...events.slice(0, 12).map((event) => `  ${JSON.stringify(event)}`)];
  });
}

function countOf(events: readonly HistoryEvent[], kind: HistoryEvent['kind']): number {
  return events.filter((event) => event.kind === kind).length;
}

function refusals(events: readonly HistoryEvent[]): string {
  const codes = new Map<string, number>();
  for (const event of events) if (event.kind === 'refused') codes.set(event.code, (codes.get(event.code) ?? 0) + 1);
  return [...codes].map(([code, count]) => `${count} ${code}`).join(', ') || '0';
}

function begins(events: readonly HistoryEvent[]): ReadonlySet<number> {
  return new Set(events.flatMap((event) => (event.kind === 'began' ? event.attempt : [])));
}

function takeovers(events: readonly HistoryEvent[]): number {
  const asked = new Map(events.flatMap((event) => (event.kind === 'asked' ? [[event.attempt, event] as const] : [])));
  const holders = new Map<string, string>();
  let count = 0;
  for (const event of events) {
    const of = event.kind === 'granted' ? asked.get(event.attempt) : undefined;
    for (const key of of?.keys ?? []) {
      if (holders.has(key) && holders.get(key) !== of!.client) count++;
      holders.set(key, of!.client);
    }
  }
  return count;
}

function waits(events: readonly HistoryEvent[]): string {
  const asked = new Map(
    events.flatMap((event) => (event.kind === 'asked' ? [[event.attempt, event.atMs] as const] : [])),
  );
  const times = events
    .flatMap((event) => (event.kind === 'granted' ? event.atMs - (asked.get(event.attempt) ?? event.atMs) : []))
    .sort((one, other) => one - other);
  const at = (part: number): string => (times[Math.floor(part * (times.length - 1))] ?? 0).toFixed(1);
  return `median ${at(0.5)} ms, 99th percentile ${at(0.99)} ms, longest ${at(1)} ms`;
}

function ticksRun(events: readonly HistoryEvent[]): number {
  const begun = begins(events);
  return events.filter((event) => event.kind === 'asked' && event.tick && begun.has(event.attempt)).length;
}

/** Locks whose validity ended while their process was paused: it has to know as soon as it continues. */
function awakenings(history: History): string {
  const { locks, clients } = read(history);
  const delaysMs = locks.flatMap(({ asked, granted, extended, aborted, releasing }) => {
    const { validUntilMs } = extended.at(-1) ?? granted;
    const pauses = clients.get(asked.client)?.pauses ?? [];
    const pause = pauses.find(({ fromMs, toMs }) => fromMs <= validUntilMs && validUntilMs <= toMs);
    return aborted === undefined || releasing !== undefined || pause === undefined ? [] : aborted.atMs - pause.toMs;
  });
  return `${delaysMs.length} times, and knew after ${Math.max(0, ...delaysMs).toFixed(1)} ms at the latest`;
}
