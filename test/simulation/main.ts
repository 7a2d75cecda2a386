import { parseArgs } from 'node:util';
import { playBatch } from './batch.js';
import { FOUND_SEEDS } from './found-seeds.js';
import { report } from './report.js';
import { play } from './schedule.js';
import { simulate } from './simulate.js';
import { trace } from './trace.js';

const HELP = `npm run sim -- [options]

  --seeds N    how many schedules (10000)
  --from S     the first seed (1)
  --workers N  processes to share them (2)
  --trace      print all that happens in each schedule; for a seed or two
`;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '10000' },
    from: { type: 'string', default: '1' },
    workers: { type: 'string', default: '2' },
    trace: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const [from, seeds, workers] = [values.from, values.seeds, values.workers].map(Number) as [number, number, number];

if (values.help || ![from, seeds, workers].every((each) => Number.isSafeInteger(each) && each >= 0)) {
  process.stdout.write(HELP);
  process.exitCode = values.help ? 0 : 2;
} else if (values.trace) {
  for (let seed = from; seed < from + seeds; seed++) process.stdout.write(`${trace(await play(seed))}\n`);
} else process.exitCode = await run();

async function run(): Promise<number> {
  const again = await playBatch(
    FOUND_SEEDS.map(({ seed }) => seed),
    () => true,
  );
  const startedAtMs = performance.now();
  let shownAtMs = 0;
  const result = await simulate({
    ...{ from, seeds, workers },
    onProgress: (done, failures) => {
      const nowMs = performance.now();
      if (nowMs - shownAtMs < 1000) return;
      shownAtMs = nowMs;
      const perSecond = done / ((nowMs - startedAtMs) / 1000);
      const bar = '#'.repeat(Math.floor((30 * done) / seeds)).padEnd(30, '.');
      const leftS = (seeds - done) / perSecond;
      process.stderr.write(
        `\r[${bar}] ${done} of ${seeds}, ${perSecond.toFixed(0)} a second, ${leftS.toFixed(0)} s to go, ${failures.length} failed `,
      );
    },
  });
  process.stderr.write('\n');
  const failures = [...again.failures, ...result.failures];
  process.stdout.write(`${report({ ...result, failures })}\n`);
  return failures.length > 0 ? 1 : 0;
}
