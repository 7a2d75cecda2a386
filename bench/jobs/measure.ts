import { quantile } from '../statistics.js';
import { countCommands } from './commands.js';
import type { CyclesAnswer } from './questions.js';

export interface Load {
  readonly atOnce: number;
  readonly forMs: number;
  readonly counting?: boolean;
  /** One cycle of this caller, its so-manieth. */
  readonly cycle: (caller: number, round: number) => Promise<unknown>;
}

/** Callers that each begin the next cycle when the last one has ended, until the time is over. */
export async function measure({ atOnce, forMs, counting = false, cycle }: Load): Promise<CyclesAnswer> {
  const latenciesUs: number[] = [];
  const count = counting ? countCommands() : () => 0;
  const cpuBefore = process.cpuUsage();
  const startedAtMs = performance.now();
  await Promise.all(
    Array.from({ length: atOnce }, async (_, caller) => {
      let nowMs = startedAtMs;
      for (let round = 0; nowMs - startedAtMs < forMs; round++) {
        const askedAtMs = nowMs;
        await cycle(caller, round);
        nowMs = performance.now();
        latenciesUs.push((nowMs - askedAtMs) * 1000);
      }
    }),
  );
  const elapsedMs = performance.now() - startedAtMs;
  const { user, system } = process.cpuUsage(cpuBefore);
  return {
    ...{ cycles: latenciesUs.length, elapsedMs, cpuUs: user + system, commands: count() },
    ...{ p50Us: quantile(latenciesUs, 0.5), p99Us: quantile(latenciesUs, 0.99) },
  };
}
