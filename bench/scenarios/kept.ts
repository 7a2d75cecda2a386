import type { Bench } from '../bench.js';
import type { ContestantName } from '../contestants/index.js';
import { BenchProcess } from '../jobs/bench-process.js';
import type { KeepAnswer } from '../jobs/questions.js';
import type { Row, Scenario } from './scenario.js';

const name = 'kept';

/** Many locks that one process keeps by extending them. Each contestant has a new process, and one turn. */
export const kept: Scenario = {
  name,
  title: '10,000 locks that are extended for a minute (1,000 for a moment with --quick)',
  run: async (bench, servers) => {
    const answers: Partial<Record<ContestantName, KeepAnswer>> = {};
    // Plain ioredis does not extend, and `withLock` extends as `acquire` does.
    const names = bench.contestants.filter((each) => each !== 'raw' && each !== 'fenced' && each !== 'withLock');
    for (const [index, contestant] of names.entries()) {
      answers[contestant] = await keepIn(bench, contestant, servers);
      bench.progress.at((index + 1) / names.length);
      const { lost } = answers[contestant];
      if (lost > 0) bench.notes.push(`${contestant} lost ${lost} of its kept locks on ${servers} servers.`);
    }
    const { locks, ttlMs } = bench.plan.kept;
    const row = (label: string, unit: string, number: (answer: KeepAnswer) => number): Row => ({
      ...{ scenario: name, servers, unit, better: 'less' },
      label: `${locks} locks of ${ttlMs / 1000} s, extended: ${label}`,
      values: Object.fromEntries(Object.entries(answers).map(([contestant, answer]) => [contestant, [number(answer)]])),
    });
    return [
      row('CPU of a core', '%', ({ cpuPercent }) => cpuPercent),
      row('memory a lock', 'KB', ({ bytesALock }) => bytesALock / 1024),
      row('stop all', 'ms', ({ stopMs }) => stopMs),
    ];
  },
};

async function keepIn(bench: Bench, contestant: ContestantName, servers: number): Promise<KeepAnswer> {
  const child = new BenchProcess();
  try {
    return await child.ask('keep', { contestant, urls: bench.urls(servers), ...bench.plan.kept });
  } finally {
    await child.stop();
  }
}
