// The tests of `npm test` in two lanes: those that compute, beside those that mostly wait for servers and for ticks. What
// a lane says is shown when it has ended. Ends with 1 where one of them has failed; the other goes on.
import { spawn } from 'node:child_process';

const JEST = 'jest -- --selectProjects';
const LANES = [`${JEST} unit architecture simulation --maxWorkers=2`, `${JEST} contract e2e --maxWorkers=3`];

/** Runs a script of package.json. Resolves to whether it went well. */
async function run(script) {
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

const results = await Promise.all(LANES.map(run));
const failed = LANES.filter((_, index) => !results[index]);
console.log(failed.length === 0 ? '\nAll tests passed.' : `\nFailed: ${failed.join('; ')}.`);
process.exitCode = failed.length === 0 ? 0 : 1;
