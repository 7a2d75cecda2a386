import { CONTESTANT_NAMES } from './contestants/index.js';
import type { Scenario } from './scenarios/scenario.js';

export function helpOf(scenarios: readonly Scenario[]): string {
  const width = Math.max(...scenarios.map(({ name }) => name.length));
  return `npm run bench -- [options]

Measures this package beside plain ioredis and other libraries, on real Redis servers on this machine. The contestants take turns, round
by round, and what is printed are ratios to plain ioredis in the same round: their median, and their quartiles in brackets. The table
goes to stdout, progress to stderr, all numbers and a chart to files.

  --quick              a first impression in a minute and a half
  --servers LIST       on so many servers, for instance 1,3,5 (5)
  --only LIST          only these scenarios
  --contestants LIST   only these, and raw: ${CONTESTANT_NAMES.join(', ')}
  --rounds N           how many rounds
  --out FOLDER         where the files go (bench/results)

Scenarios:

${scenarios.map(({ name, title }) => `  ${name.padEnd(width)}  ${title}`).join('\n')}
`;
}
