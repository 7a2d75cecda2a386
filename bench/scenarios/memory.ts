import type { Bench } from '../bench.js';
import type { MemoryQuestion } from '../jobs/questions.js';
import { ratios } from '../statistics.js';
import type { Row, Scenario } from './scenario.js';

/** The library's JavaScript alone, and how many promises and timers a lock takes. The servers in memory are a part of what is measured. */
export const javascript: Scenario = {
  name: 'javascript',
  title: 'the library alone, on servers in memory',
  run: async (bench, servers) => {
    const rows: Row[] = [];
    const row = (label: string, unit: string, values: readonly number[]): void => {
      const rest = { scenario: 'javascript', servers, unit, better: 'less' as const };
      rows.push({ ...rest, label: `JavaScript alone: ${label}`, values: { acquire: values } });
    };
    const callers = [1, 64, 512, 2048];
    for (const [index, atOnce] of callers.entries()) {
      const values = await cpuUs(bench, servers, atOnce, ['acquire']);
      row(`${atOnce} at once, CPU`, 'us', values.acquire);
      bench.progress.at((index + 1) / callers.length);
    }
    const { promises, timers } = await bench.processOf('acquire').ask('count', { servers });
    row('promises a lock', '', [promises]);
    row('timers a lock', '', [timers]);
    return rows;
  },
};

/** What a listener for every event costs. Without one there is only the question whether there is one. */
export const listeners: Scenario = {
  name: 'listeners',
  title: 'withLock with a listener for every event, on servers in memory',
  run: async (bench, servers) => {
    const values = await cpuUs(bench, servers, 1, ['withLock', 'listened']);
    const label = 'withLock with a listener for every event, over withLock: CPU';
    const withLock = ratios(values.listened, values.withLock);
    return [{ scenario: 'listeners', servers, better: 'less', label, unit: 'times', values: { withLock } }];
  },
};

/** What the decorator costs on top of the call that it makes. */
export const decorator: Scenario = {
  name: 'decorator',
  title: '@WithLock over withLock, on servers in memory',
  run: async (bench, servers) => {
    const values = await cpuUs(bench, servers, 1, ['withLock', 'decorator']);
    const rest = { scenario: 'decorator', servers, better: 'less' as const };
    return [
      { ...rest, label: 'withLock on servers in memory: CPU', unit: 'us', values: { withLock: values.withLock } },
      {
        ...{ ...rest, label: '@WithLock over withLock: CPU', unit: 'times' },
        values: { withLock: ratios(values.decorator, values.withLock) },
      },
    ];
  },
};

/** Until the compiler has made what it makes of code that is run often. */
const WARM_UP_TURNS = 5;

/** CPU of a cycle, one value a round. The first round warms up. */
async function cpuUs<How extends MemoryQuestion['how']>(
  bench: Bench,
  servers: number,
  atOnce: number,
  hows: readonly How[],
): Promise<Record<How, number[]>> {
  const values = Object.fromEntries(hows.map((how) => [how, []])) as unknown as Record<How, number[]>;
  for (let round = -1; round < bench.plan.rounds; round++) {
    for (const how of hows) {
      const forMs = bench.plan.turnMs * (round < 0 ? WARM_UP_TURNS : 1);
      const question = { servers, atOnce, forMs, how };
      const answer = await bench.processOf('acquire').ask('memory', question);
      if (round >= 0) values[how].push(answer.cpuUs / answer.cycles);
    }
  }
  return values;
}
