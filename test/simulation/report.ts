import type { CheckerTally, Tally } from './coverage.js';
import type { SimulationResult } from './simulate.js';

/** What a run of the simulation comes to: what the checkers have judged, and what it was made of. */
export function report({ tally, failures, tookMs }: SimulationResult): string {
  const perSecond = tally.schedules / (tookMs / 1000);
  const lines = [
    `${tally.schedules} schedules in ${(tookMs / 1000).toFixed(1)} s, ${perSecond.toFixed(0)} a second; ` +
      `each ${(tally.steps / tally.schedules).toFixed(0)} steps and ${(tally.events / tally.schedules).toFixed(0)} events`,
    '',
    ...checkers(tally),
    '',
    ...coverage(tally),
  ];
  for (const { seed, problems } of failures) {
    lines.push('', `seed ${seed}:`, ...problems.map(({ checker, what }) => `  ${checker}: ${what}`));
    lines.push(`  npm run sim -- --from ${seed} --seeds 1 --trace`);
  }
  return lines.join('\n');
}

function checkers({ checkers: tallies }: Tally): string[] {
  const columns: (keyof CheckerTally)[] = ['judged', 'holds', 'violated', 'outside', 'nothing', 'incomplete'];
  const row = (name: string, cells: readonly (string | number)[]): string =>
    name.padEnd(20) + cells.map((cell) => String(cell).padStart(11)).join('');
  return [
    row('checker', columns),
    ...Object.entries(tallies).map(([name, tally]) =>
      row(
        name,
        columns.map((column) => tally[column]),
      ),
    ),
  ];
}

function coverage({ coverage: counts, schedules }: Tally): string[] {
  return Object.entries(counts)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(
      ([what, times]) =>
        `${what.padEnd(42)}${String(times).padStart(10)}  ${(times / schedules).toFixed(3)} a schedule`,
    );
}
