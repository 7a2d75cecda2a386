import { shiftLibrary } from '../support/clock/clock-shift.js';
import type { FaultName } from './plan/faults.js';
import type { ChaosOptions } from './options.js';
import { plan } from './plan/plan.js';
import { Nemesis } from './environment/nemesis.js';
import {
  CLOCK_TOLERANCE_MS,
  GRACE_MS,
  GUARD_MS,
  runInEnvironment,
  type Outcome,
  type Environment,
} from './environment/environment.js';

const PROGRESS_EVERY_MS = 1_000;

export interface ChaosOutcome extends Outcome {
  readonly faults: ReadonlyMap<FaultName, number>;
  /** What was left out, and why. */
  readonly remarks: readonly string[];
}

/** Random faults for as long as asked for. What is random about them comes from the seed. */
export async function run(
  options: ChaosOptions,
  onProgress: (text: string) => void = () => undefined,
): Promise<ChaosOutcome> {
  const { servers, replicas, seed, restartGuard, minutes } = options;
  const library = await shiftLibrary();
  const guarded = restartGuard !== 'off';
  const { actions, clocksMs } = plan({
    seed,
    servers,
    replicas,
    lengthMs: minutes * 60_000,
    quarantineMs: guarded ? GUARD_MS : 0,
    graceMs: GRACE_MS,
    clockToleranceMs: CLOCK_TOLERANCE_MS,
    guarded,
    clocks: 'path' in library,
  });
  let faults: ReadonlyMap<FaultName, number> = new Map();
  const outcome = await runInEnvironment({ ...options, clocksMs, busy: true }, async (environment) => {
    onProgress(`${servers} servers (${environment.servers.origin}), ${replicas} replicas, seed ${seed}`);
    await Promise.all(Array.from({ length: replicas }, (_, replica) => environment.replicas.start(replica)));
    const nemesis = new Nemesis(environment, guarded);
    const startedAtMs = environment.sharedClock.nowMs();
    const progress = setInterval(() => {
      onProgress(
        `${Math.round((environment.sharedClock.nowMs() - startedAtMs) / 1_000)} of ${minutes * 60} s, ${awake(environment)}, ` +
          `latest fault: ${nemesis.latest}`,
      );
    }, PROGRESS_EVERY_MS);
    try {
      await nemesis.run(actions.map((action) => ({ ...action, atMs: action.atMs + startedAtMs })));
    } finally {
      clearInterval(progress);
    }
    ({ faults } = nemesis);
    onProgress('the faults are over; what is left after them, and what the checkers say, takes a moment');
  });
  const remarks = 'missing' in library ? [`no clock was shifted: ${library.missing}`] : [];
  return { ...outcome, faults, remarks };
}

function awake({ servers, replicas }: Environment): string {
  const up = servers.all.filter((_, server) => servers.isUp(server)).length;
  return `${up} of ${servers.all.length} servers and ${replicas.awake} of ${replicas.count} replicas awake`;
}
