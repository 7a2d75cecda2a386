import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { packageRoot } from '../support/servers/package-root.js';
import type { BatchResult, Failure } from './batch.js';
import { addTally, newTally, type Tally } from './coverage.js';

export interface SimulationOptions {
  readonly from: number;
  readonly seeds: number;
  readonly workers: number;
  /** Called now and then. */
  readonly onProgress?: (done: number, failures: readonly Failure[]) => void;
  /** Where `lib/` and `test/` are. */
  readonly root?: string;
  /** Whether these are failures enough. Default: 20, enough to see what is wrong. */
  readonly isEnough?: (failures: readonly Failure[]) => boolean;
}

export interface SimulationResult {
  readonly tally: Tally;
  readonly failures: readonly Failure[];
  readonly tookMs: number;
}

const LARGEST_BATCH = 25;
const MOST_FAILURES = 20;
/** A batch that takes so long will never end: somebody goes round in circles without any time passing. */
const BATCH_TIMEOUT_MS = 120_000;

/** Plays a range of seeds in processes of their own: plain Node, without Jest. */
export async function simulate({
  from,
  seeds,
  workers,
  onProgress = () => undefined,
  root = packageRoot(),
  isEnough = ({ length }) => length >= MOST_FAILURES,
}: SimulationOptions): Promise<SimulationResult> {
  const startedAtMs = performance.now();
  const tally = newTally();
  const failures: Failure[] = [];
  let next = from;
  const batch = Math.max(1, Math.min(LARGEST_BATCH, Math.ceil(seeds / workers)));

  async function drive(child: ChildProcess): Promise<void> {
    const gone = once(child, 'exit').then(([code]) => {
      throw new Error(`A worker of the simulation has ended with ${String(code)}.`);
    });
    gone.catch(() => undefined);
    await Promise.race([once(child, 'message'), gone]);
    while (next < from + seeds && !isEnough(failures)) {
      const command = { from: next, count: Math.min(batch, from + seeds - next) };
      next += command.count;
      child.send(command);
      const timeout = setTimeout(() => child.kill('SIGKILL'), BATCH_TIMEOUT_MS);
      const [result] = (await Promise.race([once(child, 'message'), gone])) as [BatchResult];
      clearTimeout(timeout);
      addTally(tally, result.tally);
      failures.push(...result.failures);
      onProgress(tally.schedules, failures);
    }
  }

  const children = Array.from({ length: workers }, () =>
    fork(join(root, 'test/simulation/worker.ts'), {
      cwd: root,
      execArgv: ['--import', join(packageRoot(), 'test/support/ts-loader.mjs'), '--max-semi-space-size=32'],
    }),
  );
  try {
    await Promise.all(children.map(drive));
  } finally {
    for (const child of children) child.kill();
  }
  failures.sort((one, other) => one.seed - other.seed);
  return { tally, failures, tookMs: performance.now() - startedAtMs };
}
