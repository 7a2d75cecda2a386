import type { HistoryEvent } from '../history/events.js';
import type { Verdict } from '../history/verdict.js';
import type { Outcome } from './schedule.js';

/** A schedule for people to read: what was planned, what happened, and what the checkers say of it. */
export function trace({ seed, plan, history, verdicts, surprises }: Outcome): string {
  const clients = new Map<number, string>();
  const { weights, options, outside, ...rest } = plan;
  const faults = Object.entries(weights).flatMap(([fault, weight]) => (weight > 0 ? [`${fault} ${weight}`] : []));
  return [
    `seed ${seed}`,
    `  ${list(rest)}`,
    `  options: ${list(options)}`,
    `  faults: ${faults.join(', ')}`,
    ...Object.entries(outside).map(([checker, why]) => `  not claimed: ${checker}, because ${why}`),
    '',
    ...history.events.map((event) => line(event, clients)),
    '',
    ...verdicts.map(describe),
    ...surprises.map((surprise) => `surprise: ${surprise}`),
  ].join('\n');
}

/** What is wrong with it, one line each, by the name of the checker. */
export function problemsOf({ verdicts, surprises }: Outcome): { readonly checker: string; readonly what: string }[] {
  return [
    ...verdicts.flatMap((verdict) => {
      const { checker } = verdict;
      if (verdict.outcome === 'violated') return verdict.violations.map(({ what }) => ({ checker, what }));
      // Unknown is never a pass: only what the plan excludes, or what has not happened at all, need not be known.
      const isGap = verdict.outcome === 'unknown' && verdict.why === 'incomplete';
      return isGap ? [{ checker, what: `unknown: ${verdict.reason}` }] : [];
    }),
    ...surprises.map((what) => ({ checker: 'no surprise', what })),
  ];
}

function line(event: HistoryEvent, clients: Map<number, string>): string {
  const { atMs, kind, ...rest } = event;
  if (event.kind === 'asked') clients.set(event.attempt, event.client);
  const client = 'client' in event ? event.client : 'attempt' in event ? clients.get(event.attempt) : undefined;
  return `${atMs.toFixed(2).padStart(10)}  ${(client ?? '').padEnd(3)} ${kind.padEnd(14)} ${list(rest)}`;
}

function list(values: object): string {
  return Object.entries(values)
    .filter(([name]) => name !== 'client')
    .map(([name, value]) => `${name} ${show(value)}`)
    .join(', ');
}

function show(value: unknown): string {
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : value.toFixed(2);
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function describe(verdict: Verdict): string {
  const head = `${verdict.checker.padEnd(18)} ${verdict.outcome}`;
  switch (verdict.outcome) {
    case 'holds':
      return `${head} (${verdict.judged})`;
    case 'violated':
      return `${head}\n${verdict.violations.map(({ what }) => `  ${what}`).join('\n')}`;
    case 'unknown':
      return `${head}: ${verdict.reason}`;
    default:
      return verdict satisfies never;
  }
}
