// Tries each sample as a user would, with the package as it would be published: packs it, copies the samples out, installs
// them, starts each until it shows what it should, and runs its test. `npm run samples -- 03 07` tries some of them.
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What the output of `npm start` must contain. */
const SHOWS = {
  '01-cron-replicas': /(?:replica-\d sends the invoices\s+[^]*){2}/,
  '02-service-with-lock': /10 books in stock, 30 sold[^]*10 books in stock, 10 sold/,
  '03-fencing-postgres': /refused: a newer lock has written\nthe row says: done by replica-2/,
  '04-config': /with a lock for 30 s\nthe stock is locked by worker-7/,
  '05-checkout-http': /curl .*\/checkout\/7 & curl .*\/checkout\/7/,
  '06-leader-election': /it closes\n[^]*replica-\d leads[^]*it lost the lock/,
  '07-tests-without-redis': /the invoices are sent/,
  '08-health-and-metrics': /curl .*\/metrics/,
};
/** These are installed on their own, exactly as a user would. The others share one `node_modules`, to save time. */
const ON_THEIR_OWN = ['01-cron-replicas', '07-tests-without-redis'];

const ROOT = join(import.meta.dirname, '..');

/** So long a step may take on a machine that is busy with other things. */
const LIMIT_MS = 600_000;
const ENV = { ...process.env, PORT: '0', npm_config_prefer_offline: 'true', npm_config_update_notifier: 'false' };
delete ENV.REDLOCK_SERVERS;

/** Runs npm in a process group of its own until it ends, or until its output matches. Rejects with the output otherwise. */
async function npm(folder, args, until) {
  const startedAtMs = performance.now();
  const child = spawn('npm', args, { cwd: folder, env: ENV, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let seen = false;
  const stop = (signal) => {
    try {
      process.kill(-child.pid, signal);
    } catch {
      // All of the group have ended.
    }
  };
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text) => {
      output += text;
      if (seen || !until?.test(output)) return;
      seen = true;
      stop('SIGTERM');
    });
  const timer = setTimeout(stop, LIMIT_MS, 'SIGKILL');
  const [code] = await new Promise((resolve) => child.once('close', (...end) => resolve(end)));
  clearTimeout(timer);
  if (until === undefined ? code !== 0 : !seen) throw new Error(`npm ${args.join(' ')} ended with ${code}:\n${output}`);
  console.log(`${folder}: npm ${args.join(' ')}, ${Math.round((performance.now() - startedAtMs) / 1000)} s`);
}

function manifestOf(folder) {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}

/** Makes `work` a folder with the samples in it, which depend on the packed package. */
function copyOut(names, work) {
  const [packed] = JSON.parse(
    execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', work], { encoding: 'utf8' }),
  );
  const union = { private: true, dependencies: {}, devDependencies: {} };
  for (const name of names) {
    const own = ON_THEIR_OWN.includes(name);
    const folder = join(work, own ? 'own' : 'shared', name);
    cpSync(join('sample', name), folder, { recursive: true, filter: (path) => !/\/(?:node_modules|dist)$/.test(path) });
    const manifest = manifestOf(folder);
    manifest.dependencies['redlock-nestjs'] = `file:${join(work, packed.filename)}`;
    writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
    if (own) continue;
    Object.assign(union.dependencies, manifest.dependencies);
    Object.assign(union.devDependencies, manifest.devDependencies);
  }
  mkdirSync(join(work, 'shared'), { recursive: true });
  writeFileSync(join(work, 'shared/package.json'), JSON.stringify(union));
}

/** Also checks the types of the tests, which are not in the build: once for all that share one `node_modules`. */
async function install(folder, include) {
  await npm(folder, ['install']);
  const tsconfig = { extends: join(ROOT, 'sample/01-cron-replicas/tsconfig.json'), include };
  writeFileSync(join(folder, 'tsconfig.types.json'), JSON.stringify(tsconfig));
  await npm(folder, ['exec', '--', 'tsc', '--noEmit', '-p', 'tsconfig.types.json']);
}

async function tryOne(name, work) {
  const own = ON_THEIR_OWN.includes(name);
  const folder = join(work, own ? 'own' : 'shared', name);
  if (own) await install(folder, ['src', 'test']);
  await npm(folder, ['start'], SHOWS[name]); // Builds it first.
  await npm(folder, ['test']);
}

const wanted = process.argv.slice(2);
const names = Object.keys(SHOWS).filter((name) => wanted.length === 0 || wanted.some((text) => name.includes(text)));
const work = mkdtempSync(join(tmpdir(), 'samples-'));
const failed = [];
try {
  copyOut(names, work);
  const shared = names.filter((name) => !ON_THEIR_OWN.includes(name));
  if (shared.length > 0) await install(join(work, 'shared'), ['*/src']);
  const queue = [...names];
  const lane = async () => {
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
      await tryOne(name, work).catch((error) => {
        failed.push(name);
        console.log(`${name} FAILED: ${error.message.replaceAll('\n', '\n  ')}`);
      });
    }
  };
  await Promise.all([lane(), lane()]);
} finally {
  rmSync(work, { recursive: true, force: true });
}
// As Jest says it, for .ci/run.
console.log(`Tests: ${failed.length} failed, ${names.length - failed.length} passed, ${names.length} total`);
process.exitCode = failed.length === 0 ? 0 : 1;
