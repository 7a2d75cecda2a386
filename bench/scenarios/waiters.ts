import type { Bench } from '../bench.js';
import type { ContestantName } from '../contestants/index.js';
import type { Grant } from '../jobs/questions.js';
import { median } from '../statistics.js';
import { interleave, pick } from './interleave.js';
import type { Row, Scenario } from './scenario.js';

interface Turn {
  /** In the order of the grants. */
  readonly grants: readonly Grant[];
  readonly longestWaitMs: number;
  readonly commands: number;
  readonly forMs: number;
}

/** Waiters in so many processes that want the same lock again and again, and hold it for 5 ms. */
export function waitersScenario(name: string, title: string, processes: number, waiters: number): Scenario {
  const run = async (bench: Bench, servers: number): Promise<Row[]> => {
    const names = bench.contestants.filter((each) => each !== 'withLock');
    const turns = await interleave(bench, names, (contestant) => turnOf(bench, contestant, servers));
    const row = (label: string, unit: string, number: (turn: Turn) => number, better: Row['better'] = 'less'): Row => {
      return { scenario: name, servers, label: `${title}: ${label}`, unit, better, values: pick(turns, number) };
    };
    return [
      row('grants/s', '/s', ({ grants, forMs }) => (grants.length / forMs) * 1000, 'more'),
      row('free until taken, p50', 'ms', ({ grants }) => median(gapsOf(grants))),
      row('commands a grant', '', ({ grants, commands }) => commands / grants.length),
      row('longest wait', 'ms', ({ longestWaitMs }) => longestWaitMs),
    ];
  };
  const turnOf = async (bench: Bench, contestant: ContestantName, servers: number): Promise<Turn> => {
    const question = { contestant, urls: bench.urls(servers), key: `bench:wanted:${contestant}`, waiters };
    const all = bench.sharedProcesses(processes);
    const answers = await Promise.all(all.map((each) => each.ask('wait', { ...question, forMs: bench.plan.waitMs })));
    const grants = answers.flatMap((answer) => answer.grants).sort((one, other) => one.grantedAtMs - other.grantedAtMs);
    const commands = answers.reduce((sum, answer) => sum + answer.commands, 0);
    const longestWaitMs = Math.max(...answers.map((answer) => answer.longestWaitMs));
    return { grants, longestWaitMs, commands, forMs: bench.plan.waitMs };
  };
  return { name, title, run };
}

function gapsOf(grants: readonly Grant[]): number[] {
  return grants.slice(1).map(({ grantedAtMs }, index) => grantedAtMs - grants[index]!.releasedAtMs);
}
