import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { LockContendedError, QuorumUnreachableError } from '../../../lib/core/errors/index.js';
import { launchBrowser } from '../../support/browser.js';
import {
  startDashboard,
  type DashboardApp,
  type DashboardAppOptions,
  type Platform,
} from '../../support/dashboard/dashboard-app.js';
import { FakeJobs } from '../../support/dashboard/fake-jobs.js';
import { visit, type Visit } from '../../support/dashboard/visit.js';
import { eventually } from '../../support/eventually.js';

// A browser on a machine that is busy with other tests: only what hangs is to fail by this.
jest.setTimeout(300_000);

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
}, 400_000);
afterAll(() => browser.close());

describe.each<Platform>(['Express', 'Fastify'])('the page in a browser, on %s', (platform) => {
  let jobs: FakeJobs;
  let app: DashboardApp;
  let seen: Visit | undefined;
  beforeEach(() => {
    jobs = new FakeJobs().add('invoices').add('mails', { paused: { reason: 'storm' } });
  });
  afterEach(async () => {
    const problems = seen?.problems;
    await seen?.close();
    await app.close();
    expect(problems ?? []).toEqual([]);
    seen = undefined;
  });

  async function open(options: Partial<DashboardAppOptions> = {}): Promise<Visit> {
    app = await startDashboard({ jobs, platform, ...options });
    seen = await visit(browser, `${app.url}/redlock`);
    await seen.page.locator('#jobs tbody tr').first().waitFor();
    return seen;
  }

  const press = (name: string): Promise<void> => seen!.page.getByRole('button', { name, exact: true }).click();

  it('pauses a job for a time and with a reason, when it was asked once more', async () => {
    const { page, rowSays, row } = await open();
    await press('Pause invoices');
    expect(await page.getByRole('dialog').innerText()).toContain('Pause invoices?');
    expect(jobs.calls).toEqual([]);
    await page.getByLabel('For how long?').fill('2h');
    await page.getByLabel('Why?').fill('the bank is closed');
    await press('Pause it');
    await page.getByText('invoices is paused.').waitFor();
    expect(jobs.calls).toEqual([
      ['pause', 'invoices', { instance: 'default', for: '2h', reason: 'the bank is closed' }],
    ]);
    const { until } = jobs.statusOf('invoices').paused!;
    expect(Math.abs(until!.getTime() - Date.now() - 7_200_000)).toBeLessThan(60_000);
    await rowSays('invoices', 'the bank is closed');
    expect(await row('invoices')).toMatch(/Paused until .*: the bank is closed/);
    expect(await page.locator('#jobs-count').innerText()).toBe('2 jobs, 2 paused.');
  });

  it('pauses a job until it is resumed, and resumes it', async () => {
    const { page, rowSays, row } = await open();
    await press('Pause invoices');
    await press('Pause it');
    await rowSays('invoices', 'Resume');
    expect(await row('invoices')).toMatch(/Paused(?! until)/);
    await press('Resume invoices');
    await press('Resume it');
    await page.getByRole('button', { name: 'Pause invoices' }).waitFor();
    expect(await row('invoices')).not.toContain('Paused');
    expect(jobs.calls).toEqual([
      ['pause', 'invoices', { instance: 'default' }],
      ['resume', 'invoices', { instance: 'default' }],
    ]);
    expect(jobs.statusOf('invoices').paused).toBeUndefined();
  });

  it('runs a job, and shows that it runs and how it has ended', async () => {
    let end: (value?: unknown) => void = () => undefined;
    jobs.runsUntil = new Promise((resolve) => (end = resolve));
    const { page, rowSays } = await open();
    await press('Run now: invoices');
    expect(await page.getByRole('dialog').innerText()).toContain('Run invoices now?');
    await press('Run it now');
    await rowSays('invoices', /Running for \d+ s on shop-1:7/);
    await page.getByText('invoices was started.').waitFor();
    end();
    await rowSays('invoices', /succeeded .*, took /);
    expect(jobs.calls).toEqual([['runNow', 'invoices', { instance: 'default' }]]);
    await press('Runs of invoices: 1 succeeded');
    const dialog = await page.getByRole('dialog').innerText();
    expect(dialog).toContain('by hand');
    expect(dialog).toContain(String(jobs.statusOf('invoices').lastRun!.fencingToken));
    await press('Close');
  });

  it('does nothing where the user thinks better of it', async () => {
    const { page } = await open();
    for (const name of ['Pause invoices', 'Run now: invoices', 'Resume mails']) {
      await press(name);
      await press('Cancel');
      await press(name);
      await page.keyboard.press('Escape');
    }
    expect(jobs.calls).toEqual([]);
  });

  it('says what went wrong, and shows what is', async () => {
    const { page, row } = await open();
    jobs.error = new LockContendedError(['invoices'], { owner: 'shop-2:9', remainingMs: 9000 }, [], 'held');
    await press('Run now: invoices');
    await press('Run it now');
    await page.locator('#said.error').getByText('shop-2:9').waitFor();
    jobs.error = new QuorumUnreachableError('acquire', ['invoices'], 3, []);
    await press('Pause invoices');
    await press('Pause it');
    await page.locator('#said.error').getByText('servers').waitFor();
    expect(await row('invoices')).not.toContain('Paused');
    await press('Pause invoices');
    jobs.remove('invoices');
    await press('Pause it');
    await page.locator('#said.error').getByText('there is no "invoices"').waitFor();
  });

  it('shows what other replicas do', async () => {
    const { rowSays, page } = await open();
    jobs.end('invoices', { outcome: 'failed', error: 'no paper', owner: 'shop-2:9', endedAt: new Date() });
    await rowSays('invoices', 'shop-2:9: no paper');
    expect(await page.locator('#jobs-count').innerText()).toBe('2 jobs, 1 paused, 1 failed last.');
    jobs.change('mails', { paused: undefined, overdue: { tick: new Date(Date.now() - 60_000), byMs: 50_000 } });
    await rowSays('mails', 'Overdue since');
    jobs.add('reports');
    await rowSays('reports', 'None yet');
    jobs.remove('mails');
    await eventually(async () => (await page.locator('#jobs tbody tr').count()) === 2);
  });

  it('has no buttons for those who may only look, and takes no POST of theirs', async () => {
    const { page } = await open({ dashboard: { authorize: () => 'read' } });
    await page.getByText('Live, read only').waitFor();
    expect(await page.locator('.action:visible').count()).toBe(0);
    expect(await page.getByRole('columnheader', { name: 'Do' }).count()).toBe(0);
    const [status] = await page.evaluate<number[]>(ATTACK('redlock/act'));
    expect(status).toBe(403);
    expect(jobs.calls).toEqual([]);
  });

  it('is not there without permission, and goes when the permission goes', async () => {
    let may = true as boolean;
    const { page } = await open({ dashboard: { authorize: () => may } });
    may = false;
    await press('Run now: invoices');
    await press('Run it now');
    await page.locator('#said.error').getByText('You may not see this page.').waitFor();
    await page.reload();
    expect(await page.locator('body').innerText()).toContain('You may not see this page.');
    expect(await page.locator('script').count()).toBe(0);
    expect(jobs.calls).toEqual([]);
  });

  it('does nothing for a page of another site, or of another port, that the same browser shows', async () => {
    // An application that lets every origin in is the worst case.
    const { page } = await open({ prepare: (app) => app.enableCors({ origin: true, credentials: true }) });
    await page.getByText('Live').waitFor();
    const foreign = createServer((_, response) => {
      response.setHeader('content-type', 'text/html').end('<!doctype html><title>Another site</title>');
    });
    const port = await portOf(foreign);
    try {
      for (const origin of [`http://localhost:${port}`, `http://127.0.0.1:${port}`]) {
        const other = await page.context().newPage();
        await other.goto(`${origin}/redlock/evil`);
        const statuses = await other.evaluate(ATTACK(`${app.url}/redlock/act`));
        expect({ origin, statuses }).toEqual({ origin, statuses: [403, 403, -1] });
        await other.evaluate(SUBMIT_FORM(`${app.url}/redlock/act`));
        await other.waitForLoadState();
        expect(await other.locator('body').innerText()).toMatch(/not sent by the page|Unsupported/);
        await other.close();
      }
    } finally {
      foreign.close();
      foreign.closeAllConnections();
    }
    expect(jobs.calls).toEqual([]);
    // The page itself may, with the same cookie.
    await press('Run now: invoices');
    await press('Run it now');
    await page.getByText('invoices has run: succeeded.').waitFor();
  });
});

async function portOf(server: Server): Promise<number> {
  await once(server.listen(0), 'listening');
  return (server.address() as AddressInfo).port;
}

const RUN = JSON.stringify({ action: 'run', job: 'invoices' });

/** What a script can send: with the token if it can read the cookie, as on another port of the same host. Gives the statuses, -1 where it may not see one. */
const ATTACK = (target: string): string => `(async () => {
  const [, token = 'f'.repeat(32)] = /redlock-dashboard=(\\w+)/.exec(document.cookie) ?? [];
  const json = { 'content-type': 'application/json' };
  const send = async (init) => {
    const answer = fetch('${target}', { method: 'POST', credentials: 'include', body: '${RUN}', ...init });
    return await answer.then(({ status }) => status, () => -1);
  };
  return [
    await send({ headers: { ...json, 'x-redlock-dashboard': token } }),
    await send({ headers: json }),
    await send({ mode: 'no-cors', headers: { 'content-type': 'text/plain' } }),
  ];
})()`;

const SUBMIT_FORM = (target: string): string => `(() => {
  const form = Object.assign(document.createElement('form'), { action: '${target}', method: 'POST', enctype: 'text/plain' });
  const name = '{"action":"run","job":"invoices","reason":"';
  form.append(Object.assign(document.createElement('input'), { name, value: '"}' }));
  document.body.append(form);
  form.submit();
})()`;
