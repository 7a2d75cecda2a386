import { setTimeout as pass } from 'node:timers/promises';
import type { Bench } from '../bench.js';
import { BenchProcess } from '../jobs/bench-process.js';
import type { Begun } from '../jobs/questions.js';
import type { Scenario } from './scenario.js';

const name = 'tick';
const REPLICAS = 6;

/** How long after the tick the last of many jobs has begun, on whichever replica it runs. */
export const tick: Scenario = {
  name,
  title: '300 jobs on one tick over 6 replicas',
  run: async (bench, servers) => {
    const { jobs } = bench.plan.ticks;
    const runs = await runReplicas(bench, servers);
    const complete = runs.filter((run) => run.length === jobs);
    if (complete.length < runs.length) {
      const counts = runs.map((run) => run.length).join(', ');
      bench.notes.push(
        `On ${servers} servers not each of ${jobs} jobs ran once at each tick, but so many ran: ${counts}.`,
      );
    }
    const values = { acquire: complete.map((run) => Math.max(...run.map(({ lateMs }) => lateMs))) };
    const label = `${jobs} jobs on one tick, ${REPLICAS} replicas: all have begun`;
    return [{ scenario: name, servers, label, unit: 'ms', better: 'less', values }];
  },
};

interface Late {
  readonly lateMs: number;
}

/** Of each tick, the runs of its jobs. */
async function runReplicas(bench: Bench, servers: number): Promise<Late[][]> {
  const { count, everySeconds, jobs } = bench.plan.ticks;
  const everyMs = everySeconds * 1000;
  const replicas = Array.from({ length: REPLICAS }, () => new BenchProcess());
  try {
    const question = { urls: bench.urls(servers), jobs, everySeconds };
    await Promise.all(replicas.map((each) => each.ask('startReplica', question)));
    // The first tick warms up.
    const first = Math.ceil(Date.now() / everyMs) + 1;
    for (let index = 0; index <= count; index++) {
      await pass((first + index) * everyMs - Date.now());
      bench.progress.at((index + 1) / (count + 1));
    }
    const begun = (await Promise.all(replicas.map((each) => each.ask('stopReplica', null)))).flat();
    return Array.from({ length: count }, (_, index) => lateAt((first + index) * everyMs, everyMs, begun));
  } finally {
    await Promise.all(replicas.map((each) => each.stop()));
  }
}

function lateAt(tickMs: number, everyMs: number, begun: readonly Begun[]): Late[] {
  return begun
    .filter(({ atMs }) => atMs >= tickMs && atMs < tickMs + everyMs)
    .map(({ atMs }) => ({ lateMs: atMs - tickMs }));
}
