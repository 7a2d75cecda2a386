import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Injectable, Module } from '@nestjs/common';
import { Cron, ScheduleModule } from '@nestjs/schedule';
import type { Browser, BrowserContextOptions } from 'playwright-core';
import { RedlockEvents, RedlockModule, RedlockService, WithLock } from 'redlock-nestjs';
import type { JobsFace } from '../../../lib/dashboard/jobs-face.js';
import type { JobRun, JobStatus } from '../../../lib/interfaces/jobs.interface.js';
import { launchBrowser } from '../../support/browser.js';
import { startDashboard, type DashboardApp, type DashboardAppOptions } from '../../support/dashboard/dashboard-app.js';
import { FakeJobs } from '../../support/dashboard/fake-jobs.js';
import { BAD_IDS, HEADINGS, HIDE, LOW_CONTRAST, TOO_WIDE, WITHOUT_NAME } from '../../support/dashboard/in-page.js';
import { visit, type Visit } from '../../support/dashboard/visit.js';
import { eventually } from '../../support/eventually.js';
import { start, type Fleet } from '../../support/fleet.js';

// A browser on a machine that is busy with other tests: only what hangs is to fail by this.
jest.setTimeout(300_000);

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
}, 400_000);
afterAll(() => browser.close());

let app: DashboardApp;
let seen: Visit;
afterEach(async () => {
  await seen.close();
  await app.close();
  expect(seen.problems).toEqual([]);
});

async function open(
  jobs: FakeJobs | undefined,
  options: Partial<DashboardAppOptions> = {},
  context?: BrowserContextOptions,
): Promise<Visit> {
  app = await startDashboard({ ...(jobs && { jobs }), ...options });
  seen = await visit(browser, `${app.url}/redlock`, context);
  await seen.page.locator('#jobs tbody tr').first().waitFor();
  return seen;
}

/** Jobs in each state. */
function everyState(): FakeJobs {
  const minutesAgo = (minutes: number): Date => new Date(Date.now() - minutes * 60_000);
  const outcomes = ['succeeded', 'failed', 'lost', 'died'] as const;
  const runs = outcomes.map((outcome, index): Partial<JobRun> => ({ outcome, startedAt: minutesAgo(index + 1) }));
  const [run] = runs;
  const running = {
    job: 'b',
    trigger: 'manual',
    owner: 'shop-1:7',
    fencingToken: 7,
    outcome: 'running',
    startedAt: minutesAgo(1),
  };
  return new FakeJobs()
    .add('a', { nextTick: new Date(Date.now() + 3_600_000), timeZone: 'Europe/Berlin' }, runs)
    .add('b', { running: running as JobRun }, [run!])
    .add('c', { paused: { until: new Date(Date.now() + 60_000), reason: 'storm' } })
    .add('d', { overdue: { tick: minutesAgo(5), byMs: 290_000 } })
    .add('e', {}, [{ outcome: 'failed', error: 'no paper' }]);
}

describe('the page', () => {
  it('is used by the keyboard alone', async () => {
    const jobs = new FakeJobs().add('invoices');
    const { page } = await open(jobs);
    const { keyboard } = page;
    const focused = (): Promise<string> =>
      page.evaluate<string>(
        "document.activeElement.getAttribute('aria-label') ?? (document.activeElement.id || document.activeElement.textContent)",
      );
    const tabTo = async (name: string): Promise<void> => {
      for (let steps = 0; (await focused()) !== name; steps++) {
        if (steps === 20) throw new Error(`20 steps do not lead to ${name}`);
        await keyboard.press('Tab');
      }
    };
    await keyboard.press('Tab');
    expect(await focused()).toBe('Skip to the jobs');
    await keyboard.press('Enter');
    expect(await focused()).toBe('main');
    await tabTo('filter');
    await keyboard.type('invoices');
    await tabTo('Pause invoices');
    expect(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle')).toBe('solid');
    await keyboard.press('Enter');
    expect(await focused()).toBe('ask-for');
    await keyboard.press('Escape');
    expect(await focused()).toBe('Pause invoices');
    await keyboard.press('Space');
    await keyboard.type('1h');
    await keyboard.press('Tab');
    await keyboard.type('storm');
    await keyboard.press('Enter');
    await page.getByRole('status').getByText('invoices is paused.').waitFor();
    expect(jobs.calls).toEqual([['pause', 'invoices', { instance: 'default', for: '1h', reason: 'storm' }]]);
    // The button is the same one, and still has the focus.
    await eventually(async () => (await focused()) === 'Resume invoices');
    await tabTo('Run now: invoices');
    await keyboard.press('Enter');
    // Enter twice by mistake runs nothing: the first button is the one that cancels.
    expect(await focused()).toBe('ask-no');
    await keyboard.press('Enter');
    expect(jobs.calls).toHaveLength(1);
    await keyboard.press('Enter');
    await tabTo('ask-yes');
    await keyboard.press('Enter');
    await page.getByRole('status').getByText('invoices has run: succeeded.').waitFor();
    await keyboard.press('Shift+Tab');
    await keyboard.press('Shift+Tab');
    // The run is shown a moment after its end is said.
    await eventually(async () => (await focused()) === 'Runs of invoices: 1 succeeded');
    await keyboard.press('Enter');
    await keyboard.press('Escape');
    expect(await focused()).toBe('Runs of invoices: 1 succeeded');
  });

  it('asks anew where a question was cancelled in the same moment', async () => {
    const jobs = new FakeJobs().add('invoices');
    const { page } = await open(jobs);
    const button = page.getByRole('button', { name: 'Run now: invoices' });
    await button.click();
    // As text: it runs in the page, whose types are not those of Node.
    await page.evaluate(
      `document.getElementById('ask-no').click(); document.querySelector('[aria-label="Run now: invoices"]').click();`,
    );
    await page.locator('#ask-yes').click();
    await eventually(() => jobs.calls.length === 1);
  });

  it('keeps the open list of runs where another instance has news of a job of the same name', async () => {
    const run = (outcome: JobRun['outcome'], error: string): JobRun => ({
      ...{ job: 'mails', trigger: 'schedule', owner: 'shop-1:7', fencingToken: 7, outcome, error },
      ...{ startedAt: new Date(Date.now() - 60_000), endedAt: new Date(Date.now() - 59_000) },
    });
    const runs = { default: [run('failed', 'no paper')], second: [run('lost', '')] };
    const status = (instance: 'default' | 'second'): JobStatus => ({
      ...{ job: 'mails', method: 'Jobs.mails', schedule: '0 2 * * *', lastRun: runs[instance][0]! },
      ...(instance === 'second' && { instance }),
    });
    const jobs = {
      list: () => Promise.resolve([status('default'), status('second')]),
      history: (_job: string, { instance }: { instance: 'default' | 'second' }) => Promise.resolve(runs[instance]),
    } as unknown as JobsFace;
    const { page } = await open(undefined, { jobs });
    await page.getByRole('button', { name: 'Runs of mails: 1 failed', exact: true }).click();
    const dialog = page.getByRole('dialog');
    expect(await dialog.innerText()).toContain('no paper');
    runs.second = [run('failed', 'no ink'), ...runs.second];
    await page.locator('#jobs').getByText('no ink').waitFor();
    expect(await dialog.innerText()).toContain('no paper');
  });

  it.each([
    ['on a screen', {}],
    ['on a phone', { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true }],
  ])('says to a screen reader what it is, %s', async (_, context) => {
    const { page } = await open(everyState(), {}, context);
    expect(await page.evaluate('document.documentElement.lang')).toBe('en');
    expect(await page.evaluate(HEADINGS)).toEqual(['H1 Jobs and locks', 'H2 Servers', 'H2 Jobs', 'H2 Locks']);
    const table = page.getByRole('table', { name: 'Jobs' });
    expect(await table.getByRole('columnheader').allTextContents()).toEqual([
      'Job',
      'Last runs',
      'Last run',
      'Next run',
      'Do',
    ]);
    expect(await table.getByRole('row').count()).toBe(6);
    expect(await table.getByRole('rowheader').count()).toBe(5);
    expect(await table.getByRole('cell').count()).toBe(20);
    for (const landmark of ['main', 'banner'] as const) expect(await page.getByRole(landmark).count()).toBe(1);
    expect(await page.getByRole('status').first().textContent()).toBe('Live');
    for (const dialog of [undefined, 'Pause a', 'Runs of a: 1 succeeded, 1 failed, 1 lost its lock, 1 died']) {
      if (dialog !== undefined) await page.getByRole('button', { name: dialog, exact: true }).click();
      expect(await page.evaluate(WITHOUT_NAME)).toEqual([]);
      expect(await page.evaluate(BAD_IDS)).toEqual([]);
      expect(await page.evaluate(TOO_WIDE)).toBe(0);
      if (dialog !== undefined) await page.keyboard.press('Escape');
    }
    expect(await page.getByLabel('Filter jobs and locks').count()).toBe(1);
  });

  it('has buttons on a phone that a finger hits', async () => {
    const { page } = await open(
      everyState(),
      {},
      { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true },
    );
    for (const button of await page.locator('main button').all()) {
      const { width = 0, height = 0 } = (await button.boundingBox()) ?? {};
      expect(Math.min(width, height)).toBeGreaterThanOrEqual(44);
    }
  });

  it.each(['light', 'dark'] as const)('can be read where the user wants it %s', async (colorScheme) => {
    const { page } = await open(everyState(), {}, { colorScheme });
    const [red = 0] = /\d+/.exec(await page.evaluate<string>('getComputedStyle(document.body).backgroundColor')) ?? [];
    if (colorScheme === 'dark') expect(Number(red)).toBeLessThan(60);
    else expect(Number(red)).toBeGreaterThan(200);
    expect(await page.evaluate(LOW_CONTRAST)).toEqual([]);
    await page.getByRole('button', { name: 'Pause a' }).click();
    expect(await page.evaluate(LOW_CONTRAST)).toEqual([]);
  });

  it('shows names and reasons as the texts that they are', async () => {
    const evil = '<img src=x onerror="document.title=1"><script>document.title=2</script>';
    const jobs = new FakeJobs().add(evil, { paused: { reason: '<b>storm</b>' }, method: '</table>' }, [
      { error: '<i>no</i>', outcome: 'failed' },
    ]);
    const { page, row } = await open(jobs);
    expect(await row(evil)).toContain('<b>storm</b>');
    await page.locator('button.strip').click();
    expect(await page.getByRole('dialog').innerText()).toContain('<i>no</i>');
    expect(await page.locator('img, main script, b').count()).toBe(0);
    expect(await page.title()).toBe('Jobs and locks');
  });

  it('says that it has no connection, and goes on when another replica answers', async () => {
    const { page, rowSays } = await open(new FakeJobs().add('invoices'));
    await app.close();
    await page.getByText('No connection. It tries again.').waitFor();
    const port = Number(new URL(app.url).port);
    app = await startDashboard({ jobs: new FakeJobs().add('mails'), port });
    await rowSays('mails', 'None yet');
    await page.locator('#live.live').waitFor();
    expect(await page.locator('#jobs tbody tr').count()).toBe(1);
  });

  it('reads nothing while it is hidden', async () => {
    const { page } = await open(new FakeJobs().add('invoices'));
    const closed = page.waitForEvent('requestfailed', (request) => request.url().endsWith('/events'));
    await page.clock.install();
    await page.evaluate(HIDE(true));
    await page.clock.fastForward(31_000);
    await closed;
    const opened = page.waitForRequest((request) => request.url().endsWith('/events'));
    await page.evaluate(HIDE(false));
    await opened;
  });
});

describe('the page with real servers', () => {
  let fleet: Fleet;
  beforeAll(async () => {
    fleet = await start(3);
  });
  afterAll(() => fleet.stop());

  it('is still fast with 500 jobs and 1,000 locks, and changes rows in their places', async () => {
    const jobs = new FakeJobs();
    const runs = Array.from({ length: 20 }, (_, run) => ({ startedAt: new Date(Date.now() - run * 60_000) }));
    for (let job = 0; job < 500; job++) jobs.add(`job-${String(job).padStart(3, '0')}`, {}, runs);
    app = await startDashboard({ jobs, imports: [RedlockModule.forRoot(fleet.urls, { nodeTimeout: '5s' })] });
    const redlock = app.app.get(RedlockService);
    const held = await Promise.all(
      Array.from({ length: 1000 }, (_, order) => redlock.acquire(`order:${order}`, '20m')),
    );
    const startedAtMs = performance.now();
    seen = await visit(browser, `${app.url}/redlock`);
    const { page, rowSays, row } = seen;
    await eventually(async () => (await page.locator('#locks tbody tr').count()) === 1000, { withinMs: 60_000 });
    expect(await page.locator('#jobs tbody tr').count()).toBe(500);
    expect(await page.locator('#jobs tbody .strip i.succeeded').count()).toBe(10_000);
    expect(performance.now() - startedAtMs).toBeLessThan(60_000);
    expect(await page.locator('#jobs-count').innerText()).toBe('500 jobs.');
    expect(await page.locator('#locks-count').innerText()).toBe('1000 locks.');
    expect(await row('order:7')).toMatch(/order:7 \S+:\d+ (20 min|19 min \d+ s) \d+ 3 of 3/);

    // What the page itself takes for a filter, and for the row of one job.
    const filterMs = await page.evaluate<number>(`(() => {
      const before = performance.now();
      const filter = document.getElementById('filter');
      filter.value = 'job-499';
      filter.dispatchEvent(new Event('input'));
      document.body.getBoundingClientRect();
      return performance.now() - before;
    })()`);
    expect(filterMs).toBeLessThan(2_000);
    expect(await page.locator('#jobs tbody tr:visible').count()).toBe(1);
    expect(await page.locator('#jobs-count').innerText()).toBe('500 jobs (1 shown).');
    await page.getByLabel('Filter jobs and locks').fill('');

    await page.evaluate(
      "document.querySelectorAll('#jobs tbody tr').forEach((row, index) => { row.dataset.mark = index; })",
    );
    await page.getByRole('button', { name: 'Pause job-250' }).focus();
    jobs.end('job-250', { outcome: 'failed', error: 'no paper' });
    jobs.add('job-100a');
    await rowSays('job-250', 'no paper');
    await rowSays('job-100a', 'None yet');
    expect(await page.evaluate("document.activeElement.getAttribute('aria-label')")).toBe('Pause job-250');
    expect(
      await page.evaluate(
        "[...document.querySelectorAll('#jobs tbody tr')].map((row) => row.dataset.mark ?? 'new').join()",
      ),
    ).toBe([...Array(101).keys(), 'new', ...Array.from({ length: 399 }, (_, index) => index + 101)].join());
    await Promise.all(held.map((lock) => lock.release()));
    await eventually(async () => (await page.locator('#locks tbody tr').count()) === 0, { withinMs: 60_000 });
    expect(await page.locator('#locks-count').innerText()).toBe('No locks.');
  });

  it('steers real jobs: paused by the page no tick runs, resumed the next one does, and one runs by hand', async () => {
    const runs: string[] = [];
    @Injectable()
    class Jobs {
      @Cron('* * * * * *')
      @WithLock('beats')
      beat(): Promise<void> {
        runs.push('beat');
        return Promise.resolve();
      }

      @Cron('0 0 1 1 *')
      @WithLock('reports')
      report(): Promise<void> {
        runs.push('report');
        return Promise.reject(new Error('no paper'));
      }
    }
    @Module({ providers: [Jobs] })
    class JobsModule {}
    const imports = [ScheduleModule.forRoot(), RedlockModule.forRoot(fleet.urls), JobsModule];
    const { page, rowSays } = await open(undefined, { imports, platform: 'Fastify' });
    await rowSays('beats', /Jobs\.beat · \* \* \* \* \* \*/);
    await rowSays('beats', 'succeeded');
    const press = (name: string): Promise<void> => page.getByRole('button', { name, exact: true }).click();
    await press('Pause beats');
    await page.getByLabel('Why?').fill('the bank is closed');
    await press('Pause it');
    await page.getByText('beats is paused.').waitFor();
    const { length } = runs;
    let skipped = 0;
    app.app.get(RedlockEvents).on('skipped', ({ reason }) => (skipped += reason === 'paused' ? 1 : 0));
    await eventually(() => skipped >= 3, { withinMs: 90_000 });
    expect(runs).toHaveLength(length);
    await rowSays('beats', 'Paused: the bank is closed');
    await press('Run now: beats');
    await press('Run it now');
    await page.locator('#said.error').getByText('paused').waitFor();
    await press('Resume beats');
    await press('Resume it');
    await eventually(() => runs.length > length, { withinMs: 90_000 });
    await press('Run now: reports');
    await press('Run it now');
    await page.locator('#said.error').getByText('It has failed: no paper').waitFor();
    expect(runs.filter((run) => run === 'report')).toHaveLength(1);
    await rowSays('reports', /failed .*: no paper/);
  });

  it('shows servers as they are, and the locks of other holders', async () => {
    const { page, row } = await open(new FakeJobs().add('invoices'), {
      imports: [
        RedlockModule.forRoot(fleet.urls, { nodeTimeout: 200 }),
        RedlockModule.forRoot(fleet.urls, { name: 'second', isGlobal: false, keyPrefix: 'other:', owner: 'another:1' }),
      ],
    });
    const server = (index: number): ReturnType<typeof page.locator> =>
      page
        .locator('#servers > li')
        .filter({ hasText: new URL(fleet.urls[index]!).host })
        .first();
    await page.getByText('Locks can be granted: 3 servers vote, 2 are needed.').first().waitFor();
    await server(0).getByText('ready').waitFor();
    const third = fleet.servers[2]!;
    await third.command('SET', 'redlock:invoices', 'token 5 web-2:1', 'PX', '600000');
    await page.locator('#locks').getByText('1 of 3: no majority, so it is not held').waitFor();
    await fleet.servers[0]!.kill();
    await server(0).getByText('down').waitFor();
    await page.getByText('Locks can be granted: 2 servers vote, 2 are needed.').first().waitFor();
    await fleet.servers[1]!.kill();
    await page.getByText('No lock can be granted: 1 server votes, 2 are needed.').first().waitFor();
    await page.locator('#notes').getByText('was not searched for locks').first().waitFor();
    await page.locator('#locks').getByText('1 of 3, and 2 have not answered: it may be held').waitFor();
    await fleet.servers[0]!.restart();
    await fleet.servers[1]!.restart();
    await page.getByText('Locks can be granted: 3 servers vote, 2 are needed.').first().waitFor();
    await third.command('DEL', 'redlock:invoices');
    const lock = await app.app
      .get<RedlockService>(Symbol.for('redlock-nestjs:service:second'))
      .acquire('of-second', '5m');
    await eventually(async () => (await page.locator('#locks tbody tr').count()) === 1, { withinMs: 60_000 });
    expect(await row('of-second')).toMatch(/of-second second another:1 (5 min|4 min \d+ s)/);
    await lock.release();
  });
});
