import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { JobRun, JobStatus } from 'redlock-nestjs';
import { eventually } from '../support/eventually.js';
import { start as startFleet, type Fleet } from '../support/fleet.js';
import { forgetLocks } from '../support/forget-locks.js';
import { OwnProcess } from '../support/process.js';
import { MANY, type Command, type JobsName, type Line } from './jobs/replica.interface.js';

type Replica = OwnProcess<Command, unknown>;

// Several processes each wait for ticks, on a machine that may be busy: only what hangs is to fail by this.
jest.setTimeout(180_000);

let fleet: Fleet;
let folder: string;
beforeAll(async () => {
  fleet = await startFleet(5);
  folder = mkdtempSync(join(tmpdir(), 'redlock-jobs-'));
});
afterAll(async () => {
  await fleet.stop();
  rmSync(folder, { recursive: true });
});

const replicas = new Set<Replica>();
let file: string;
beforeEach(() => {
  file = join(folder, 'runs');
  writeFileSync(file, '');
});
afterEach(async () => {
  await Promise.all([...replicas].map((replica) => replica.stop()));
  replicas.clear();
  for (const server of fleet.servers) if (!server.running) await server.restart({ data: false });
  await forgetLocks(fleet.servers);
});

/** Processes that have loaded all they need, and are no replicas yet. */
async function load(count: number): Promise<[Replica, ...Replica[]]> {
  const url = new URL('jobs/replica.ts', import.meta.url);
  const own = Array.from({ length: count }, () => new OwnProcess<Command, unknown>(url));
  for (const replica of own) replicas.add(replica);
  await Promise.all(own.map((replica) => replica.ask({ kind: 'load' })));
  return own as [Replica, ...Replica[]];
}

async function start(own: readonly Replica[], jobs: JobsName, servers = 5): Promise<void> {
  const urls = fleet.urls.slice(0, servers);
  await Promise.all(own.map((replica) => replica.ask({ kind: 'boot', servers: urls, jobs, file })));
}

async function boot(count: number, jobs: JobsName, servers?: number): Promise<[Replica, ...Replica[]]> {
  const own = await load(count);
  await start(own, jobs, servers);
  return own;
}

async function kill(replica: Replica): Promise<void> {
  replicas.delete(replica);
  await replica.stop();
}

function lines(what: Line['what'], job?: string): Line[] {
  // What follows the last line break is being written.
  const text = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  const all = text.map((line) => JSON.parse(line) as Line);
  return all.filter((line) => line.what === what && (job === undefined || line.job === job));
}

/** Just after an instant at which a job is due that is due every so many seconds. */
async function afterTick(seconds: number): Promise<void> {
  const periodMs = seconds * 1000;
  await sleep(periodMs - (Date.now() % periodMs) + 200);
}

describe('P20: three replicas on five servers', () => {
  it('run no tick from when pause has returned, also with two servers killed and one back without data; resume, and the next runs', async () => {
    const [one, two, three] = (await boot(3, 'Often')) as [Replica, Replica, Replica];
    await eventually(() => lines('begun').length >= 2);
    await one.ask({ kind: 'pause', job: 'often' });
    const pausedAtMs = Date.now();
    const since = (): Line[] => lines('begun').filter(({ atMs }) => atMs > pausedAtMs);
    await sleep(2500);
    const [first, second] = fleet.servers;
    await Promise.all([first!.kill(), second!.kill()]);
    await sleep(2500);
    await first!.restart({ data: false });
    await sleep(4000);
    expect(since()).toEqual([]);
    const status = ((await two.ask({ kind: 'list' })) as JobStatus[])[0];
    expect(status).toMatchObject({ job: 'often', paused: {} });
    await expect(two.ask({ kind: 'runNow', job: 'often' })).rejects.toThrow(/"often" is paused/);
    // A replica that is new hears of it, too.
    await kill(one);
    await boot(1, 'Often');
    await sleep(2500);
    expect(since()).toEqual([]);

    await three.ask({ kind: 'resume', job: 'often' });
    const resumedAtMs = Date.now();
    await eventually(() => since().length > 0);
    expect(since()[0]!.atMs - resumedAtMs).toBeLessThan(2000);
  });

  it('that are all down over three ticks run one of them when they are back, marked late; without catchUp none', async () => {
    const before = await boot(3, 'Missing');
    await eventually(() => lines('ended', 'made up').length > 0 && lines('ended', 'lost').length > 0);
    for (const replica of before) await kill(replica);
    const downAtMs = Date.now();
    const back = await load(3);
    for (let ticks = 0; ticks < 3; ticks++) await afterTick(5);
    // Just after a tick, so that the next one is not run before this one was made up for.
    await start(back, 'Missing');
    await eventually(() => lines('ended', 'made up').some(({ late }) => late), { withinMs: 60_000 });
    await afterTick(5);
    await afterTick(5);
    const [late, ...more] = lines('begun').filter((line) => line.late);
    expect(more).toEqual([]);
    expect(late!.job).toBe('made up');
    expect(late!.tickMs! - downAtMs).toBeGreaterThan(9000);
    const ofMissed = lines('begun').filter(({ tickMs = 0 }) => tickMs > downAtMs && tickMs <= late!.tickMs!);
    expect(ofMissed).toEqual([late]);
  });

  it('run a tick once more whose replica was killed in the middle with onCrash: again, and not with skip', async () => {
    const all = await boot(3, 'Dying');
    await eventually(() => new Set(lines('begun').map(({ job }) => job)).size === 2, { withinMs: 30_000 });
    const firsts = lines('begun');
    for (const replica of all) if (firsts.some(({ pid }) => pid === replica.pid)) await kill(replica);
    const { tickMs } = firsts[0]!;
    const ofTick = (job: string): Line[] => lines('begun', job).filter((line) => line.tickMs === tickMs);
    await eventually(() => ofTick('again').length > 1, { withinMs: 60_000 });
    // By then the lock of the other job is over as well.
    await sleep(Math.max(0, tickMs! + 13_000 - Date.now()));

    const [first, second, ...more] = ofTick('again');
    expect(more).toEqual([]);
    expect(second!.pid).not.toBe(first!.pid);
    expect(second!.fencingToken).toBeGreaterThan(first!.fencingToken);
    // Not while the first may still have had the lock: it was extended to the last.
    expect(second!.atMs - first!.atMs).toBeGreaterThan(900);
    expect(ofTick('skip')).toHaveLength(1);
    const [left] = replicas;
    const runs = (await left!.ask({ kind: 'history', job: 'again' })) as JobRun[];
    expect(runs.slice(0, 2).map(({ trigger, outcome }) => [trigger, outcome])).toEqual([
      ['again', 'succeeded'],
      ['schedule', 'died'],
    ]);
  });
});

it('P8: six replicas share 300 jobs that are due at one instant: each runs between a third and thrice its share', async () => {
  const all = await boot(6, 'None', 3);
  const dueAtMs = Date.now() + 15_000;
  await Promise.all(all.map((replica) => replica.ask({ kind: 'add', dueAtMs, spread: 3000 })));
  expect(Date.now()).toBeLessThan(dueAtMs);
  await eventually(() => lines('ended').length >= MANY, { withinMs: 60_000 });
  expect(lines('begun')).toHaveLength(MANY);
  const shares = new Map<number, number>();
  for (const { pid } of lines('begun')) shares.set(pid, (shares.get(pid) ?? 0) + 1);
  expect(shares.size).toBe(6);
  for (const share of shares.values()) {
    expect(share).toBeGreaterThan(MANY / 6 / 3);
    expect(share).toBeLessThan((MANY / 6) * 3);
  }
});
