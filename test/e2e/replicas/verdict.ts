import { dateOf, type Firing, type Report, type Run } from './replica.interface.js';

/** What can be said of one job when all is over. It looks at the reports of the replicas and at nothing else. */
export interface Verdict {
  /** Ticks that nobody ran, with what the replicas said then. */
  readonly missed: string[];
  /** Ticks that ran more than once. */
  readonly doubled: number[];
  /** Ticks that began before the run of another one had ended. */
  readonly overlapping: number[];
  /** What calls rejected with. */
  readonly errors: string[];
  /** Everything in the logs that is more than a detail. */
  readonly logged: string[];
}

/**
 * On a machine that is busy with other work, servers are silent for a second and timers are late. The ticks must be right all the
 * same.
 */
const OF_SLOW_MACHINE =
  /^\w+: (Server \S+ (does not answer|votes again)|The quorum is )|^\[Cron\] Missed execution deadline/;

export function withoutSlowness(logged: readonly string[]): string[] {
  return logged.filter((line) => !OF_SLOW_MACHINE.test(line));
}

export const FLAWLESS: Verdict = { missed: [], doubled: [], overlapping: [], errors: [], logged: [] };

export function judge(reports: readonly Report[], key: string, ticks: number): Verdict {
  const runs = runsOf(reports, key);
  const timesRun = Array.from({ length: ticks }, (_, tick) => runs.filter((run) => run.tick === tick).length);
  const missed = [...timesRun.keys()].filter((tick) => timesRun[tick] === 0);
  return {
    missed: missed.map((tick) => `tick ${tick}: ${saidAt(reports, key, tick).join('; ') || 'nobody said why'}`),
    doubled: [...timesRun.keys()].filter((tick) => timesRun[tick]! > 1),
    overlapping: runs
      .filter(({ startedAtMs }, index) => index > 0 && startedAtMs < runs[index - 1]!.endedAtMs)
      .map(({ tick }) => tick),
    errors: firingsOf(reports, key).flatMap(({ tick, error }) =>
      error === undefined ? [] : [`tick ${tick}: ${error}`],
    ),
    logged: withoutSlowness(reports.flatMap(({ logged }) => logged)),
  };
}

/** All runs of a job, in the order in which they began. */
export function runsOf(reports: readonly Report[], key: string): Run[] {
  return reports
    .flatMap(({ runs }) => runs)
    .filter((run) => run.key === key)
    .sort((a, b) => a.startedAtMs - b.startedAtMs);
}

/** For each tick, how long the first replica that fired it was ahead of the second. */
export function leadsMs(reports: readonly Report[], key: string): number[] {
  return [...firedAtMs(reports, key).values()].map((fired) => {
    const [first = NaN, second = NaN] = fired.toSorted((one, other) => one - other);
    return second - first;
  });
}

function firedAtMs(reports: readonly Report[], key: string): Map<number, number[]> {
  const fired = new Map<number, number[]>();
  for (const { tick, firedAtMs } of firingsOf(reports, key)) fired.set(tick, [...(fired.get(tick) ?? []), firedAtMs]);
  return fired;
}

function firingsOf(reports: readonly Report[], key: string): Firing[] {
  return reports.flatMap(({ firings }) => firings).filter((firing) => firing.key === key);
}

function saidAt(reports: readonly Report[], key: string, tick: number): string[] {
  const second = new Date(dateOf(tick)).toISOString().slice(0, -'.000Z'.length);
  return reports.flatMap(({ details }) => details.filter((line) => line.includes(second) && line.includes(`"${key}"`)));
}
