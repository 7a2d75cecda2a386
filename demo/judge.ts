import type { TickMessage } from './messages.js';

/** A message of one replica about one tick. */
export type Report = TickMessage & { readonly replica: string };

/** The runs and skips of a tick. */
export interface Verdict {
  readonly tickMs: number;
  /** One name for each run. A run counts from its beginning, also when its replica was killed in the middle. */
  readonly ranBy: readonly string[];
  readonly skippedBy: readonly string[];
  readonly failed: readonly { readonly replica: string; readonly error: string }[];
}

/** Judges one tick by all that was reported of it, in any order. */
export function judge(tickMs: number, reports: readonly Report[]): Verdict {
  const ranBy = reports.filter(({ what }) => what === 'began').map(({ replica }) => replica);
  // A clock that is set back makes a replica come to a tick again: to one that it ran itself, for example.
  const skipped = reports.filter(({ what, replica }) => what === 'skipped' && !ranBy.includes(replica));
  const failed = reports.filter((report) => report.what === 'failed');
  return {
    tickMs,
    ranBy: ranBy.sort(byNumber),
    skippedBy: [...new Set(skipped.map(({ replica }) => replica))].sort(byNumber),
    failed: failed.map(({ replica, error }) => ({ replica, error })).sort((a, b) => byNumber(a.replica, b.replica)),
  };
}

export interface Summary {
  ticks: number;
  runs: number;
  ticksWithoutRun: number;
  ticksWithMoreRuns: number;
  skips: number;
  failures: number;
  /** Runs of each replica. */
  runsBy: Record<string, number>;
}

export function summarize(verdicts: readonly Verdict[], before?: Summary): Summary {
  const sum: Summary = {
    ...(before ?? { ticks: 0, runs: 0, ticksWithoutRun: 0, ticksWithMoreRuns: 0, skips: 0, failures: 0 }),
    runsBy: { ...before?.runsBy },
  };
  for (const { ranBy, skippedBy, failed } of verdicts) {
    sum.ticks++;
    sum.runs += ranBy.length;
    if (ranBy.length === 0) sum.ticksWithoutRun++;
    if (ranBy.length > 1) sum.ticksWithMoreRuns++;
    sum.skips += skippedBy.length;
    sum.failures += failed.length;
    for (const replica of ranBy) sum.runsBy[replica] = (sum.runsBy[replica] ?? 0) + 1;
  }
  return sum;
}

/** P8: every tick has run exactly once. */
export function isFlawless({ ticksWithoutRun, ticksWithMoreRuns }: Summary): boolean {
  return ticksWithoutRun === 0 && ticksWithMoreRuns === 0;
}

/** `replica-10` after `replica-9`. */
function byNumber(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}
