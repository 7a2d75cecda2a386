import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { start, type Fleet } from '../support/fleet.js';
import type { Report } from './replicas/replica.interface.js';
import { FAR_MS, Replicas } from './replicas/replicas.js';
import { FLAWLESS, judge, leadsMs, runsOf, withoutSlowness } from './replicas/verdict.js';

/*
 * Real processes, real servers, real distances: each replica reaches another server within 1 ms and all others within 20.
 *
 * A replica's clock has a tick a second, but what is idle of each second is left out, or a hundred ticks would take a
 * hundred seconds. `npm run test:long` has 100 of them; `REDLOCK_TICKS=3000 npm run jest -- replicas` takes an hour.
 */
const TICKS = Number(process.env.REDLOCK_TICKS ?? 20);
const TIMEOUT_MS = 60_000 + TICKS * 1_000;

/** The shortest time between two ticks, for each distance of the clocks: the wider apart, the more ticks are under way. */
const CLOCKS = [
  { skewMs: 0, everyMs: 20 },
  { skewMs: 50, everyMs: 60 },
  { skewMs: 500, everyMs: 100 },
  { skewMs: 5000, everyMs: 80 },
] as const;

const keyOf = (skewMs: number): string => (skewMs === 0 ? 'same instant' : `${skewMs} ms apart`);

let fleet: Fleet;
let replicas: Replicas;
beforeAll(async () => {
  replicas = new Replicas(10);
  // Nothing here is to survive a restart, and a busy disk would hold all servers up at once.
  fleet = await start(5, { direct: true, args: ['--appendonly', 'no'] });
});
afterAll(async () => {
  await replicas.stop();
  await fleet.stop();
});

describe.each([
  [3, 3],
  [5, 5],
  [10, 3],
])('P8: %i replicas on %i servers, a job of 1 ms', (count, servers) => {
  let reports: Report[];
  beforeAll(async () => {
    const app = await replicas.boot(count, fleet.servers.slice(0, servers));
    await Promise.all(
      CLOCKS.map((clock) => app.fire({ key: `${count} ${keyOf(clock.skewMs)}`, ticks: TICKS, ...clock })),
    );
    reports = await app.report();
    await app.close();
  }, TIMEOUT_MS);

  it.each(CLOCKS.map(({ skewMs }) => keyOf(skewMs)))('runs each tick once, and quietly: %s', (name) => {
    const key = `${count} ${name}`;
    expect(judge(reports, key, TICKS)).toEqual(FLAWLESS);
    expect(runsOf(reports, key)).toHaveLength(TICKS);
  });

  it('has put it to the test: the first two fired within one round trip, and no replica always won', () => {
    const key = `${count} ${keyOf(0)}`;
    expect(leadsMs(reports, key).filter((leadMs) => leadMs < FAR_MS).length).toBeGreaterThan(TICKS / 4);
    expect(reports.filter((report) => runsOf([report], key).length > 0).length).toBeGreaterThan(1);
  });
});

it.each(['pause', 'kill'] as const)(
  'P4, P8: runs each tick once while a minority of the servers is out of it: %s',
  async (fault) => {
    const app = await replicas.boot(3, fleet.servers);
    const broken = fleet.servers.slice(3);
    await app.fire({ key: `before ${fault}`, ticks: 3, everyMs: 20 });
    for (const server of broken) await server[fault]();
    await app.fire({ key: fault, ticks: 10, everyMs: 20 });
    for (const server of broken) await (fault === 'kill' ? server.restart({ data: true }) : server.resume());
    const reports = await app.report();
    await app.close();
    const key = fault;
    expect(judge(reports, key, 10)).toEqual({ ...FLAWLESS, logged: expect.anything() });
    expect(runsOf(reports, key)).toHaveLength(10);
  },
  60_000,
);

it('would notice: with perTick off, clocks that are 500 ms apart run ticks twice', async () => {
  const app = await replicas.boot(3, fleet.servers.slice(0, 3));
  await app.fire({ key: 'lock only', ticks: 5, everyMs: 100, skewMs: 500, perTick: false });
  const verdict = judge(await app.report(), 'lock only', 5);
  await app.close();
  expect(verdict.doubled.length).toBeGreaterThan(0);
});

it('would notice a tick that nobody ran, runs that overlap, errors and loud logs', () => {
  const firing = { key: 'k', tick: 1, dueAtMs: 0, firedAtMs: 0, settledAtMs: 10, error: 'Error: no' };
  const details = [
    'debug: 2030-01-01T00:00:01.020Z "k" was contested',
    'debug: 2030-01-01T00:00:02.020Z "k" is locked',
  ];
  const verdict = judge(
    [
      {
        runs: [{ key: 'k', tick: 0, startedAtMs: 0, endedAtMs: 10 }],
        firings: [firing],
        logged: ['warn: so'],
        details,
      },
      { runs: [{ key: 'k', tick: 2, startedAtMs: 9, endedAtMs: 19 }], firings: [], logged: [], details: [] },
    ],
    'k',
    3,
  );
  expect(verdict).toEqual({
    missed: [`tick 1: ${details[0]}`],
    doubled: [],
    overlapping: [2],
    errors: ['tick 1: Error: no'],
    logged: ['warn: so'],
  });
});

it('P8: a job longer than the period never overlaps itself; the ticks that it covers are skipped quietly', async () => {
  const app = await replicas.boot(3, fleet.servers.slice(0, 3), { scheduled: true });
  let reports: Report[] = [];
  await eventually(async () => runsOf((reports = await app.report()), 'long').length === 2, { withinMs: 40_000 });
  await app.close();

  const runs = runsOf(reports, 'long');
  // 2.5 periods long, so it covers the ticks 1 and 2, but not 3; a slow machine may be late for that.
  const later = runs[1]!.tick - runs[0]!.tick;
  expect(later).toBeGreaterThanOrEqual(3);
  expect(later).toBeLessThanOrEqual(5);
  expect(runs[1]!.startedAtMs).toBeGreaterThanOrEqual(runs[0]!.endedAtMs);
  for (const { logged, details } of reports) {
    expect(withoutSlowness(logged)).toEqual([]);
    expect(details.filter((line) => line.includes('"long" is locked by')).length).toBeGreaterThanOrEqual(2);
  }
});
