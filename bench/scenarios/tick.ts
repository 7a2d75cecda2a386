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
    const twice = runs.filter((run) => new Set(run.map(({ job }) => job)).size < run.length);
    if (twice.length > 0) bench.notes.push(`On ${servers} servers a job ran twice at ${twice.length} ticks.`);
    const label = `${jobs} jobs on one tick, ${REPLICAS} replicas`;
    const rest = { scenario: name, servers };
    const last = runs.filter((run) => run.length > 0).map((run) => Math.max(...run.map(({ lateMs }) => lateMs)));
    const counts = runs.map((run) => run.length);
    return [
      { ...rest, label: `${label}: the last begins after`, unit: 'ms', better: 'less', values: { acquire: last } },
      // Fewer where the machine is so busy that the servers do not answer in time.
      { ...rest, label: `${label}: jobs that ran`, unit: '', better: 'more', values: { acquire: counts } },
    ];
  },
};

interface Late {
  readonly job: number;
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
    .map(({ job, atMs }) => ({ job, lateMs: atMs - tickMs }));
}
