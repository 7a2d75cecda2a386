import type { Bench } from '../bench.js';
import type { ContestantName } from '../contestants/index.js';
import type { CyclesAnswer } from '../jobs/questions.js';
import { interleave, pick } from './interleave.js';
import type { Row, Scenario } from './scenario.js';

interface Settings {
  readonly name: string;
  readonly title: string;
  readonly atOnce: number;
  readonly keys: 'same' | 'fresh';
  readonly onlyOn?: number;
}

/** Locks that nothing else wants, taken and given back by so many callers at once. */
export function cyclesScenario({ name, title, atOnce, keys, ...rest }: Settings): Scenario {
  const run = async (bench: Bench, servers: number): Promise<Row[]> => {
    const ask = (contestant: ContestantName, forMs: number, counting = false): Promise<CyclesAnswer> =>
      bench
        .processOf(contestant)
        .ask('cycles', { contestant, urls: bench.urls(servers), atOnce, keys, forMs, counting });
    return await measureCycles(bench, { name, title, servers, isAlone: atOnce === 1, ask });
  };
  return { name, title, ...rest, run };
}

interface Measured {
  readonly name: string;
  readonly title: string;
  readonly servers: number;
  /** Latencies say something only of a caller that is alone. */
  readonly isAlone: boolean;
  readonly ask: (contestant: ContestantName, forMs: number, counting?: boolean) => Promise<CyclesAnswer>;
}

/** For so long commands are counted. */
export const COUNTED_MS = 20;

export async function measureCycles(bench: Bench, { name, title, servers, isAlone, ask }: Measured): Promise<Row[]> {
  const { turnMs, warmUpMs } = bench.plan;
  const turns = await interleave(bench, bench.contestants, async (contestant, isWarmUp) => {
    const { answer, cpuUs } = await bench.serversCpuUs(servers, () => ask(contestant, isWarmUp ? warmUpMs : turnMs));
    return { ...answer, serversCpuUs: cpuUs };
  });
  const commands: Record<string, number[]> = {};
  for (const contestant of bench.contestants) {
    const counted = await ask(contestant, COUNTED_MS, true);
    commands[contestant] = [counted.commands / counted.cycles];
  }
  const row = (label: string, unit: string, values: Row['values'], better: Row['better'] = 'less'): Row => {
    return { scenario: name, servers, label: `${title}: ${label}`, unit, better, values };
  };
  const speed = isAlone
    ? [
        row(
          'p50',
          'us',
          pick(turns, (turn) => turn.p50Us),
        ),
        row(
          'p99',
          'us',
          pick(turns, (turn) => turn.p99Us),
        ),
      ]
    : [
        row(
          'cycles/s',
          '/s',
          pick(turns, (turn) => (turn.cycles / turn.elapsedMs) * 1000),
          'more',
        ),
      ];
  return [
    ...speed,
    row(
      'client CPU',
      'us',
      pick(turns, (turn) => turn.cpuUs / turn.cycles),
    ),
    row(
      "servers' CPU",
      'us',
      pick(turns, (turn) => turn.serversCpuUs / turn.cycles),
    ),
    row('commands', '', commands),
  ];
}
