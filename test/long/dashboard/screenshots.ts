// `npm run screenshots`: writes docs/images/dashboard-light.png and -dark.png, of the page with the data of an afternoon in a shop.
import 'reflect-metadata';
import { mkdir } from 'node:fs/promises';
import { idOf, instanceRow, jobRow, lockRow, serverRow } from '../../../lib/dashboard/rows.js';
import type { JobRun, JobStatus } from '../../../lib/interfaces/jobs.interface.js';
import { launchBrowser } from '../../support/browser.js';
import { startDashboard } from '../../support/dashboard/dashboard-app.js';
import { FakeJobs } from '../../support/dashboard/fake-jobs.js';

const NOW = Date.UTC(2026, 5, 18, 13, 40, 12);
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

const ago = (ms: number): Date => new Date(NOW - ms);
const replica = (index: number): string => `shop-6f9c4-${['x2x8k', 'm4tqd', 'zp7wv'][index % 3]}:1`;

/** The last runs of a job with this period, whose ticks are so long after the full ones. Of each number in `failed`, that run has failed. */
function runsOf(
  job: string,
  periodMs: number,
  tookMs: number,
  failed: Record<number, Partial<JobRun>> = {},
  offsetMs = 0,
): JobRun[] {
  return Array.from({ length: 20 }, (_, index) => {
    const tick = ago(((NOW - offsetMs) % periodMs) + index * periodMs);
    const wobble = 1 + 0.6 * Math.sin(index * 2.3 + job.length);
    return {
      ...{ job, trigger: 'schedule', tick, owner: replica(index + job.length), fencingToken: 4_711_000 - index },
      ...{ startedAt: tick, endedAt: new Date(tick.getTime() + tookMs * wobble), outcome: 'succeeded' },
      ...failed[index],
    } satisfies JobRun;
  });
}

function statusOf(
  method: string,
  schedule: string,
  nextMs: number | undefined,
  runs: JobRun[],
  more: Partial<JobStatus> = {},
): [JobStatus, JobRun[]] {
  const [first] = runs;
  const lastRun = runs.find(({ outcome }) => outcome !== 'running');
  const running = first?.outcome === 'running' ? first : undefined;
  const base = {
    job: first?.job ?? '',
    method,
    schedule,
    ...(nextMs !== undefined && { nextTick: new Date(NOW + nextMs) }),
  };
  return [{ ...base, ...(lastRun && { lastRun }), ...(running && { running }), ...more }, runs];
}

const goesOn = { outcome: 'running', endedAt: undefined } as unknown as Partial<JobRun>;

const JOBS = [
  statusOf('Carts.remind', '*/10 * * * *', 9 * MINUTE + 48 * SECOND, runsOf('carts:remind', 10 * MINUTE, 8 * SECOND)),
  statusOf(
    'Exchange.fetch',
    'every 60000 ms',
    undefined,
    runsOf('exchange-rates', MINUTE, 800, {
      3: { outcome: 'failed', error: 'HTTP 503 of the bank' },
      4: { outcome: 'failed', error: 'HTTP 503 of the bank' },
    }),
  ),
  statusOf(
    'Invoices.send',
    '0 2 * * *',
    10 * HOUR + 19 * MINUTE + 48 * SECOND,
    runsOf('invoices', 24 * HOUR, 4 * MINUTE, { 6: { outcome: 'died' } }),
    { timeZone: 'Europe/Berlin' },
  ),
  statusOf('Mails.newsletter', '0 9 * * 1', undefined, runsOf('newsletter', 168 * HOUR, 22 * MINUTE, {}, 103 * HOUR), {
    paused: { until: new Date(NOW + 68 * HOUR), reason: 'new sender address, ask Petra' },
  }),
  statusOf(
    'Orders.export',
    '*/5 * * * *',
    4 * MINUTE + 48 * SECOND,
    runsOf('orders:export', 5 * MINUTE, 20 * SECOND, { 0: goesOn }),
  ),
  statusOf(
    'Search.reindex',
    '15 * * * *',
    34 * MINUTE + 48 * SECOND,
    runsOf(
      'search-index',
      HOUR,
      6 * MINUTE,
      { 0: { outcome: 'failed', error: 'no space left on device' } },
      15 * MINUTE,
    ),
  ),
  statusOf(
    'Stock.sync',
    '30 * * * *',
    49 * MINUTE + 48 * SECOND,
    runsOf('stock:sync', HOUR, 90 * SECOND, {}, 30 * MINUTE).slice(1),
    {
      overdue: { tick: ago(10 * MINUTE + 12 * SECOND), byMs: 9 * MINUTE },
    },
  ),
];

const SERVERS = [1, 2, 3, 4, 5].map((number) => ({
  server: `redis-${number}:6379`,
  state: number === 4 ? ('quarantined' as const) : ('ready' as const),
  since: number === 4 ? ago(25 * SECOND) : ago((number * 31 + 60) * HOUR),
  version: '8.0.3',
  warnings: [],
  ...(number === 4
    ? { reason: 'it came back without its data, and votes again in 35 s' }
    : { latencyMs: 0.3 + number / 10 }),
}));

const LOCKS = [
  ['order:20493', 2, 9_400],
  ['order:20488', 1, 8_100],
  ['order:20491', 0, 9_900],
  ['orders:export', 1, 21_000],
].map(([key, index, remainingMs]) => {
  const held = {
    state: 'held' as const,
    owner: replica(Number(index)),
    remainingMs: Number(remainingMs),
    fencingToken: 1_781_789_000 + Number(remainingMs),
  };
  const servers = SERVERS.map(({ server, state }) =>
    state === 'ready' ? { server, ...held } : { server, state: 'free' as const },
  );
  return {
    key: String(key),
    held: true,
    owner: held.owner,
    remainingMs: held.remainingMs,
    fencingToken: held.fencingToken,
    servers,
  };
});

const HEALTH = { quorum: true, voting: 4, needed: 3, servers: SERVERS };

const CHANGE = {
  ...{ now: NOW, reset: true, mayAct: true },
  set: {
    instances: { [idOf(undefined)]: instanceRow(undefined, HEALTH) },
    servers: Object.fromEntries(SERVERS.map((each) => [idOf(each.server), serverRow({}, each)])),
    jobs: Object.fromEntries(JOBS.map(([status, runs]) => [idOf(status.job), jobRow(status, runs)])),
    locks: Object.fromEntries(LOCKS.map((each) => [idOf(each.key), lockRow({}, each, NOW)])),
    notes: {},
  },
};

const { url, close } = await startDashboard({ jobs: new FakeJobs() });
const browser = await launchBrowser();
await mkdir('docs/images', { recursive: true });
for (const colorScheme of ['light', 'dark'] as const) {
  const viewport = { width: 1240, height: 900 };
  const page = await browser.newPage({
    viewport,
    colorScheme,
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
    reducedMotion: 'reduce',
  });
  await page.clock.setFixedTime(NOW);
  await page.addInitScript(`window.EventSource = class extends EventTarget {
    constructor() {
      super();
      setTimeout(() => this.dispatchEvent(new MessageEvent('change', { data: ${JSON.stringify(JSON.stringify(CHANGE))} })));
    }
    close() {}
  };`);
  await page.goto(`${url}/redlock`);
  await page.locator('#live.live').waitFor();
  await page.screenshot({ path: `docs/images/dashboard-${colorScheme}.png`, fullPage: true });
}
await browser.close();
await close();
