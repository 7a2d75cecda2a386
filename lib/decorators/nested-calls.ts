import { AsyncLocalStorage } from 'node:async_hooks';
import type { Lock } from '../interfaces/index.js';
import { LOCKED_RUN } from '../redlock.constants.js';
import type { RedlockService } from '../redlock.service.js';

/** A run of a decorated method, under its lock. */
interface Run {
  readonly host: object;
  readonly propertyKey: string | symbol;
  readonly service: RedlockService;
  readonly lock: Lock;
  /** Whether a call of the method began with it: what is around that is another call. */
  readonly isOutermost: boolean;
  /** The runs around that were not over when this one began. */
  readonly outer: Run | undefined;
  isOver: boolean;
}

/** One process may load this package twice, and both copies must see the run around. */
const shared = globalThis as { [LOCKED_RUN]?: AsyncLocalStorage<Run> };
const storage = (shared[LOCKED_RUN] ??= new AsyncLocalStorage<Run>());

/** Runs the work so that {@link runsAround} finds it. What lives longer than the work, such as a timer, does not keep it. */
export async function asRun<T>(run: Omit<Run, 'outer' | 'isOver'>, work: () => Promise<T>): Promise<T> {
  const current: Run = { ...run, outer: innermost(), isOver: false };
  try {
    return await storage.run(current, work);
  } finally {
    current.isOver = true;
    Object.assign(current, { outer: undefined });
  }
}

/** The runs of the same call of this method of this host that this async context is part of, while they go on; the innermost first. */
export function runsAround(host: object, propertyKey: string | symbol): readonly Run[] {
  const runs: Run[] = [];
  for (let run = innermost(); run !== undefined; run = run.outer) {
    if (run.isOver || run.host !== host || run.propertyKey !== propertyKey) continue;
    runs.push(run);
    if (run.isOutermost) break;
  }
  return runs;
}

function innermost(): Run | undefined {
  const run = storage.getStore();
  return run?.isOver ? undefined : run;
}
