// Everything that `npm test` checks, in two lanes: what computes, beside what mostly waits for servers and for ticks. What
// a step says is shown when it has ended. Ends with 1 where one of them has failed; the others go on.
import { spawn } from 'node:child_process';

const JEST = 'jest -- --selectProjects';
const LANES = [
  ['lint', 'typecheck', `${JEST} unit architecture simulation`],
  ['build', `${JEST} contract e2e --maxWorkers=2`], // One of the end-to-end tests looks at the built package.
];

/** Runs a script of package.json. Resolves to whether it went well. */
async function step(script) {
  const startedAtMs = performance.now();
  const child = spawn(`npm run --silent ${script}`, {
    shell: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: process.stdout.isTTY ? { ...process.env, FORCE_COLOR: '1' } : process.env,
  });
  const said = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => said.push(text));
  const code = await new Promise((resolve) => child.once('close', resolve));
  const seconds = Math.round((performance.now() - startedAtMs) / 1000);
  process.stdout.write(`\n> ${script}: ${code === 0 ? 'passed' : 'FAILED'} after ${seconds} s\n${Buffer.concat(said)}`);
  return code === 0;
}

async function lane(scripts) {
  const results = [];
  for (const script of scripts) results.push([script, await step(script)]);
  return results;
}

const results = (await Promise.all(LANES.map(lane))).flat();
const failed = results.filter(([, passed]) => !passed).map(([script]) => script);
console.log(failed.length === 0 ? '\nAll checks passed.' : `\nFailed: ${failed.join('; ')}.`);
process.exitCode = failed.length === 0 ? 0 : 1;
