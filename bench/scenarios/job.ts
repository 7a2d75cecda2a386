import type { CyclesAnswer, CyclesQuestion } from '../jobs/questions.js';
import { ratios } from '../statistics.js';
import { COUNTED_MS } from './cycles.js';
import type { Row, Scenario } from './scenario.js';

const name = 'job';

/** What a run of a job takes more than a call without a job: its tick, and its entry in the register of the servers. */
export const job: Scenario = {
  name,
  title: 'a run of a job over withLock',
  run: async (bench, servers) => {
    const ask = async (keys: CyclesQuestion['keys'], forMs: number, counting = false): Promise<CyclesAnswer> => {
      const question = { contestant: 'withLock', urls: bench.urls(servers), atOnce: 1, keys, forMs, counting } as const;
      return await bench.processOf('withLock').ask('cycles', question);
    };
    const measured = { tick: [] as number[][], same: [] as number[][] };
    for (let round = -1; round < bench.plan.rounds; round++) {
      for (const keys of round % 2 === 0 ? (['tick', 'same'] as const) : (['same', 'tick'] as const)) {
        const { answer, cpuUs } = await bench.serversCpuUs(servers, () => ask(keys, bench.plan.turnMs));
        const { commands, cycles } = await ask(keys, COUNTED_MS, true);
        if (round < 0) continue; // It warms up.
        measured[keys].push([commands / cycles, answer.p50Us, answer.cpuUs / answer.cycles, cpuUs / answer.cycles]);
      }
      bench.progress.at((round + 2) / (bench.plan.rounds + 1));
    }
    return ['commands', 'p50', 'client CPU', "servers' CPU"].map((label, index): Row => {
      const [ticks, calls] = [measured.tick, measured.same].map((turns) => turns.map((turn) => turn[index]!));
      const rest = { scenario: name, servers, unit: 'times', better: 'less' } as const;
      return { ...rest, label: `a run of a job over withLock: ${label}`, values: { withLock: ratios(ticks!, calls!) } };
    });
  },
};
