import { parseArgs } from 'node:util';

export interface ChaosOptions {
  readonly minutes: number;
  readonly servers: number;
  readonly replicas: number;
  readonly seed: number;
  readonly restartGuard: 'witnessed' | 'strict' | 'off';
  /** Where the history, the summary and the picture go. */
  readonly out: string;
}

export const HELP = `Real Redis servers, replicas of one Nest application that lock, wait and tick, and random faults. At the end the
checkers judge the history. The exit code is 0 if each checker could judge and found no violation, and no process ended
unexpectedly; otherwise it is 1. Clocks are shifted where there is a C compiler.

npm run chaos -- [options]

  --minutes N        how long; 0.25 is fine. Default: 5
  --servers N        how many Redis servers, 1 to 9. Default: 5
  --replicas N       how many replicas, each a process of its own, 1 to 9. Default: 4
  --seed N           replays the schedule of faults (what the processes make of it is up to the machine). Default: any
  --restart-guard M  'witnessed', 'strict' or 'off'. With 'off' a server that has lost its data votes at once, which
                     breaks promises: the checkers should find violations. Default: witnessed
  --out DIR          where the history, the summary and a picture of the run go. Default: .cache/chaos/SEED
  --help             this text
`;

/** Something that the user should have typed differently. */
export class UsageError extends Error {}

const GUARDS = ['witnessed', 'strict', 'off'] as const;
const NAMES = ['minutes', 'servers', 'replicas', 'seed', 'restart-guard', 'out'] as const;
const LARGEST_SEED = 2 ** 31 - 1;

/** @throws UsageError with one sentence */
export function readOptions(args: readonly string[]): ChaosOptions | 'help' {
  const { values, positionals } = parseArgs({
    args: [...args],
    strict: false,
    allowPositionals: true,
    options: {
      ...Object.fromEntries(NAMES.map((name) => [name, { type: 'string' as const }])),
      help: { type: 'boolean' as const },
    },
  });
  if (values.help === true) return 'help';
  for (const name of Object.keys(values)) {
    if (!(NAMES as readonly string[]).includes(name)) throw new UsageError(`There is no option --${name}.`);
  }
  if (positionals[0] !== undefined) throw new UsageError(`Only options are taken, and '${positionals[0]}' is none.`);

  const seed = number('seed', values.seed, [0, LARGEST_SEED], Math.floor(Math.random() * LARGEST_SEED));
  const guard = values['restart-guard'] ?? 'witnessed';
  const restartGuard = GUARDS.find((each) => each === guard);
  if (restartGuard === undefined) throw new UsageError(`--restart-guard takes ${GUARDS.join(', ')}, not '${guard}'.`);
  if (typeof values.out === 'boolean') throw new UsageError('--out takes a folder.');
  return {
    minutes: number('minutes', values.minutes, [0.1, 600], 5, 'any'),
    servers: number('servers', values.servers, [1, 9], 5),
    replicas: number('replicas', values.replicas, [1, 9], 4),
    seed,
    restartGuard,
    out: values.out ?? `.cache/chaos/${seed}`,
  };
}

function number(
  name: string,
  text: string | boolean | undefined,
  [lowest, highest]: readonly [number, number],
  byDefault: number,
  kind: 'whole' | 'any' = 'whole',
): number {
  if (text === undefined) return byDefault;
  const value = typeof text === 'string' && text !== '' ? Number(text) : NaN;
  if (value >= lowest && value <= highest && (kind === 'any' || Number.isInteger(value))) return value;
  throw new UsageError(`--${name} takes a ${kind === 'any' ? '' : 'whole '}number from ${lowest} to ${highest}.`);
}
