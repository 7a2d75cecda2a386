import { parseArgs } from 'node:util';
import type { Failure } from '../batch.js';
import { simulate } from '../simulate.js';
import { MUTANTS, type Mutant } from './mutants.js';
import { Workshop } from './workshop.js';

const HELP = `npm run mutants -- [options]

Puts one fault after the other into a copy of the code, and looks who finds it.

  --only TEXT  only the mutants with this in their name
  --workers N  processes to share the seeds (2)
  --from S     the first seed (1)
`;

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    workers: { type: 'string', default: '2' },
    from: { type: 'string', default: '1' },
    help: { type: 'boolean', default: false },
  },
});
const [workers, from] = [Number(values.workers), Number(values.from)];

interface Trial {
  readonly mutant: Mutant;
  /** Who has found it, and with which seed first. */
  readonly found: ReadonlyMap<string, number>;
  readonly schedules: number;
  readonly tookMs: number;
  readonly problem?: string;
}

if (values.help) process.stdout.write(HELP);
else process.exitCode = await run();

async function run(): Promise<number> {
  const workshop = new Workshop();
  await workshop.open();
  const trials: Trial[] = [];
  try {
    const sound = await simulate({ from, seeds: 500, workers, root: workshop.root });
    if (sound.failures.length > 0) throw new Error('The code fails without any fault put into it: see npm run sim.');
    for (const mutant of MUTANTS.filter(({ name }) => name.includes(values.only))) {
      const trial = await tryOut(workshop, mutant);
      trials.push(trial);
      process.stdout.write(`${line(trial)}\n`);
    }
  } finally {
    await workshop.close();
  }
  const survivors = trials.filter((trial) => !isCaught(trial));
  process.stdout.write(`\n${trials.length - survivors.length} of ${trials.length} mutants were caught.\n`);
  for (const { mutant, problem } of survivors) {
    process.stdout.write(`Survived: ${mutant.name}${problem === undefined ? '' : ` (${problem})`}\n`);
  }
  return survivors.length > 0 || trials.length === 0 ? 1 : 0;
}

async function tryOut(workshop: Workshop, mutant: Mutant): Promise<Trial> {
  const startedAtMs = performance.now();
  const found = new Map<string, number>();
  const isEnough = (failures: readonly Failure[]): boolean => {
    for (const { seed, problems } of failures) {
      for (const { checker, what } of problems) {
        // That something is unknown finds nothing.
        if (!what.startsWith('unknown')) found.set(checker, Math.min(seed, found.get(checker) ?? seed));
      }
    }
    return found.has(mutant.checker);
  };
  const repair = await workshop.apply(mutant);
  if (repair === undefined) {
    return { mutant, found, schedules: 0, tookMs: 0, problem: `its text is not exactly once in ${mutant.file}` };
  }
  try {
    const { seeds } = mutant;
    const { tally } = await simulate({ from, seeds, workers, root: workshop.root, isEnough });
    return { mutant, found, schedules: tally.schedules, tookMs: performance.now() - startedAtMs };
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return { mutant, found, schedules: 0, tookMs: performance.now() - startedAtMs, problem };
  } finally {
    await repair();
  }
}

function isCaught({ mutant, found }: Trial): boolean {
  return found.has(mutant.checker);
}

function line(trial: Trial): string {
  const { mutant, found, schedules, tookMs, problem } = trial;
  const seed = found.get(mutant.checker);
  const verdict = seed === undefined ? 'SURVIVED' : `seed ${seed}`;
  const others = [...found.keys()].filter((name) => name !== mutant.checker);
  return [
    mutant.name.padEnd(76),
    mutant.checker.padEnd(17),
    verdict.padEnd(12),
    `of ${mutant.seeds}`.padEnd(10),
    `${schedules} in ${(tookMs / 1000).toFixed(1)} s`,
    ...(others.length > 0 ? [`also ${others.join(', ')}`] : []),
    ...(problem === undefined ? [] : [problem]),
  ].join('  ');
}
