import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { compile, type Compiled } from '../support/compiled.js';
import { processState } from '../support/servers/process-state.js';
import { run } from '../support/servers/run.js';

interface Tick {
  tick: string;
  ranBy: string[];
  skippedBy: string[];
  failed: unknown[];
  voting: number;
  servers: number;
}

let compiled: Compiled;
/** Takes 20 s, so it runs beside the other tests. */
let chaos: Sample;
const started: Sample[] = [];

/** The sample as `npm start` runs it, in a process group of its own, as a terminal starts it. */
class Sample {
  readonly child: ChildProcess;
  readonly exit: Promise<number | NodeJS.Signals | null>;
  stdout = '';
  stderr = '';

  constructor(...args: string[]) {
    this.child = spawn(process.execPath, [join(compiled.folder, 'sample/main.js'), ...args], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child.stdout?.on('data', (text: Buffer) => (this.stdout += text.toString()));
    this.child.stderr?.on('data', (text: Buffer) => (this.stderr += text.toString()));
    this.exit = once(this.child, 'close').then(
      ([code, signal]) => (code as number | null) ?? (signal as NodeJS.Signals | null),
    );
    started.push(this);
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get ticks(): Tick[] {
    return this.stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Tick);
  }

  /** Until it has told of a tick: from then on everything runs. */
  async running(): Promise<this> {
    while (!this.stdout.includes('\n') && this.child.exitCode === null) await sleep(20);
    return this;
  }
}

beforeAll(async () => {
  compiled = await compile('lib', 'sample', 'test/support');
  // So that the package's own name, in there, means what was compiled with it.
  await writeFile(join(compiled.folder, 'package.json'), '{ "type": "module" }');
  await writeFile(
    join(compiled.folder, 'lib/package.json'),
    '{ "name": "redlock-nestjs", "type": "module", "exports": "./index.js" }',
  );
  await mkdir(join(compiled.folder, 'node_modules'));
  await symlink('../lib', join(compiled.folder, 'node_modules/redlock-nestjs'));
  chaos = new Sample('--chaos', '--ticks', '16', '--servers', '3');
  started.length = 0;
});

afterEach(() => {
  for (const { child } of started.splice(0)) child.kill('SIGKILL');
});

afterAll(async () => {
  chaos.child.kill('SIGKILL');
  await compiled.remove();
});

/** The processes that a process has started, and those that they have. */
async function descendants(ancestor: number): Promise<number[]> {
  const parents = await parentOfEach();
  const found = [ancestor];
  for (const pid of found) found.push(...[...parents].filter(([, parent]) => parent === pid).map(([child]) => child));
  return found.slice(1);
}

async function parentOfEach(): Promise<Map<number, number>> {
  if (process.platform !== 'linux') {
    const table = await run('ps', ['-A', '-o', 'pid=,ppid='], 5_000);
    return new Map(
      table
        .trim()
        .split('\n')
        .map((line) => line.trim().split(/\s+/).map(Number) as [number, number]),
    );
  }
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const stats = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')));
  // After the name, which is in brackets and may hold anything: state, parent.
  return new Map(
    stats.map((stat) => [Number.parseInt(stat, 10), Number(stat.slice(stat.lastIndexOf(')') + 4).split(' ')[0])]),
  );
}

async function leftOf(pids: readonly number[]): Promise<number[]> {
  const states = await Promise.all(pids.map(processState));
  return pids.filter((_, index) => !['', 'Z'].includes(states[index] ?? ''));
}

async function untilNoneIsLeftOf(pids: readonly number[]): Promise<void> {
  for (let attempt = 0; attempt < 150 && (await leftOf(pids)).length > 0; attempt++) await sleep(20);
}

describe('npm start', () => {
  it('runs each tick exactly once, says so as JSON, and ends by itself with 0 (P8)', async () => {
    const sample = new Sample('--ticks', '5', '--json');
    expect([await sample.exit, /^5 ticks: .*$/m.exec(sample.stderr)?.[0]]).toEqual([
      0,
      '5 ticks: each ran exactly once',
    ]);
    const { ticks } = sample;
    expect(ticks).toHaveLength(5);
    const firstMs = Date.parse(ticks[0]?.tick ?? '');
    for (const [index, tick] of ticks.entries()) {
      expect(Object.keys(tick)).toEqual(['tick', 'ranBy', 'skippedBy', 'failed', 'voting', 'servers']);
      expect(tick).toMatchObject({ failed: [], voting: 5, servers: 5 });
      expect(Date.parse(tick.tick)).toBe(firstMs + index * 1_000);
      expect(tick.ranBy).toHaveLength(1);
      expect([...tick.ranBy, ...tick.skippedBy].sort()).toEqual(['replica-1', 'replica-2', 'replica-3']);
    }
  });

  it.each([
    [['--ticks', 'abc'], "--ticks takes a whole number from 1 up, not 'abc'."],
    [['--ticks', '-5'], "--ticks takes a whole number from 1 up, not '-5'."],
    [['--ticks'], '--ticks takes a whole number from 1 up, and there is none.'],
    [['--servers', '0'], "--servers takes a whole number from 1 to 99, not '0'."],
    [['--replicas=2.5'], "--replicas takes a whole number from 1 to 99, not '2.5'."],
    [['--json=yes'], '--json takes no value.'],
    [['--tick', '5'], 'There is no option --tick.'],
    [['30'], "Only options are taken, and '30' is none."],
  ])('refuses %j in one clear line, with exit code 2', async (args, message) => {
    const sample = new Sample(...args);
    expect(await sample.exit).toBe(2);
    expect(sample.stderr).toBe(`${message} See npm start -- --help.\n`);
    expect(sample.stdout).toBe('');
  });

  it('explains itself', async () => {
    const sample = new Sample('--help');
    expect(await sample.exit).toBe(0);
    for (const word of ['--ticks', '--servers', '--replicas', '--chaos', '--json', 'skippedBy']) {
      expect(sample.stdout).toContain(word);
    }
    expect(sample.stderr).toBe('');
  });

  it.each([
    ['SIGINT', 'to everybody, as Ctrl-C at a terminal', 130],
    ['SIGTERM', 'to the coordinator alone', 143],
  ] as const)('leaves no process behind after %s %s', async (signal, whom, code) => {
    const sample = await new Sample('--servers', '3', '--json').running();
    const pids = await descendants(sample.pid);
    expect(pids).toHaveLength(3 + 3 + 1);
    process.kill(whom.startsWith('to everybody') ? -sample.pid : sample.pid, signal);
    expect(await sample.exit).toBe(code);
    await untilNoneIsLeftOf(pids);
    expect(await leftOf(pids)).toEqual([]);
    expect(sample.stderr).toMatch(/^3 servers .*\ntime .*\n\d+ ticks?: each ran exactly once\n( {2}.*\n){3}$/);
  });

  it('leaves no process behind when the coordinator is killed', async () => {
    const sample = await new Sample('--servers', '3', '--json').running();
    const pids = await descendants(sample.pid);
    expect(pids).toHaveLength(3 + 3 + 1);
    process.kill(sample.pid, 'SIGKILL');
    expect(await sample.exit).toBe('SIGKILL');
    await untilNoneIsLeftOf(pids);
    expect(await leftOf(pids)).toEqual([]);
  });

  it('runs each tick exactly once while things break, and announces what does (P4, P8)', async () => {
    const code = await chaos.exit;
    expect(chaos.stdout).not.toMatch(/NOBODY| AND /);
    expect([code, chaos.stderr]).toEqual([0, '']);
    const announced = chaos.stdout.split('\n').filter((line) => /^[\d:]+ +(server|replica)-\d+ [a-z]/.test(line));
    expect(announced.map((line) => line.slice(10).replaceAll(/-\d+/g, ''))).toEqual([
      'server is killed',
      'server is up again, with its data',
      'server stalls: it takes connections and answers nothing',
      'server goes on',
      'replica has a clock that is 1.5 s ahead',
      'replica is killed in the middle of its run, replica starts',
      'replica is up',
    ]);
    expect(chaos.stdout).toMatch(/^16 ticks: each ran exactly once$/m);
  }, 40_000);
});
