import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Compiled } from '../support/compiled.js';
import { processState } from '../support/servers/process-state.js';
import { run } from '../support/servers/run.js';
import { compileDemo, Demo } from './demo/demo.js';

let compiled: Compiled;
const started: Demo[] = [];

function npmStart(...args: string[]): Demo {
  const demo = new Demo(compiled, ...args);
  started.push(demo);
  return demo;
}

beforeAll(async () => {
  compiled = await compileDemo();
});
afterEach(() => {
  for (const { child } of started.splice(0)) child.kill('SIGKILL');
});
afterAll(() => compiled.remove());

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
    const demo = npmStart('--ticks', '5', '--json');
    expect([await demo.exit, /^5 ticks: .*$/m.exec(demo.stderr)?.[0]]).toEqual([0, '5 ticks: each ran exactly once']);
    const { ticks } = demo;
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
    const demo = npmStart(...args);
    expect(await demo.exit).toBe(2);
    expect(demo.stderr).toBe(`${message} See npm start -- --help.\n`);
    expect(demo.stdout).toBe('');
  });

  it('explains itself', async () => {
    const demo = npmStart('--help');
    expect(await demo.exit).toBe(0);
    for (const word of ['--ticks', '--servers', '--replicas', '--chaos', '--page', '--json', 'skippedBy']) {
      expect(demo.stdout).toContain(word);
    }
    expect(demo.trouble).toBe('');
  });

  it.each([
    ['SIGINT', 'to everybody, as Ctrl-C at a terminal', 130],
    ['SIGTERM', 'to the coordinator alone', 143],
  ] as const)('leaves no process behind after %s %s', async (signal, whom, code) => {
    const demo = await npmStart('--servers', '3', '--json').running();
    const pids = await descendants(demo.pid);
    expect(pids).toHaveLength(3 + 3 + 1);
    process.kill(whom.startsWith('to everybody') ? -demo.pid : demo.pid, signal);
    expect(await demo.exit).toBe(code);
    await untilNoneIsLeftOf(pids);
    expect(await leftOf(pids)).toEqual([]);
    expect(demo.trouble).toMatch(/^3 servers .*\ntime .*\n\d+ ticks?: each ran exactly once\n( {2}.*\n){3}$/);
  });

  it('serves the dashboard with --page, and buttons that break servers and replicas', async () => {
    const demo = await npmStart('--servers', '3', '--page', '--json').running();
    const [, url = ''] = /break things at (\S+),/.exec(demo.stderr) ?? [];
    expect(await (await fetch(`${url}/redlock`)).text()).toContain('<title>Jobs and locks</title>');
    expect(await (await fetch(url)).text()).toMatch(/server-3[^]*replica-3/);
    const press = async (name: string, what: string, site = 'same-origin'): Promise<number> =>
      (
        await fetch(`${url}/break`, {
          method: 'POST',
          headers: { 'sec-fetch-site': site },
          body: new URLSearchParams({ name, what }),
          redirect: 'manual',
        })
      ).status;
    expect(await press('server-1', 'kill', 'cross-site')).toBe(403);
    expect(await press('server-1', 'kill')).toBe(303);
    expect(await press('replica-1', 'kill')).toBe(303);
    expect(await press('replicas', 'start')).toBe(303);
    const isSeen = (): boolean =>
      demo.ticks.some(({ voting, skippedBy, ranBy }) => voting === 2 && [...ranBy, ...skippedBy].includes('replica-4'));
    while (!isSeen() && demo.child.exitCode === null) await sleep(20);
    // This process has the jobs, too, and runs no tick of them.
    expect(demo.ticks.filter(({ ranBy }) => ranBy.length > 1)).toEqual([]);
    process.kill(demo.pid, 'SIGTERM');
    expect(await demo.exit).toBe(143);
  }, 300_000);

  it('leaves no process behind when the coordinator is killed', async () => {
    const demo = await npmStart('--servers', '3', '--json').running();
    const pids = await descendants(demo.pid);
    expect(pids).toHaveLength(3 + 3 + 1);
    process.kill(demo.pid, 'SIGKILL');
    expect(await demo.exit).toBe('SIGKILL');
    await untilNoneIsLeftOf(pids);
    expect(await leftOf(pids)).toEqual([]);
  });
});
