import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { eventually } from '../eventually.js';

/** A page in a browser of its own, with what it has complained of: scripts, the policy, and requests to elsewhere. */
export interface Visit {
  readonly page: Page;
  readonly problems: string[];
  /** The text of the row with this name, without line ends. */
  row(name: string): Promise<string>;
  /** Waits until the row says so. */
  rowSays(name: string, text: string | RegExp): Promise<void>;
  close(): Promise<void>;
}

export async function visit(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Visit> {
  const viewport = { width: 1280, height: 900 };
  // Without animations: they would keep a machine busy that draws without a graphics card.
  const context = await browser.newContext({ viewport, locale: 'en-GB', reducedMotion: 'reduce', ...options });
  context.setDefaultTimeout(90_000);
  const page = await context.newPage();
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('console', (message) => {
    // A refused request is what some tests are about; the browser mentions it here.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      problems.push(message.text());
  });
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== new URL(url).origin) problems.push(`request to ${request.url()}`);
  });
  await page.goto(url);
  const rowOf = (name: string): ReturnType<Page['locator']> =>
    page.locator('main tbody tr').filter({ has: page.locator('th .name').getByText(name, { exact: true }) });
  const row = async (name: string): Promise<string> => (await rowOf(name).innerText()).replaceAll(/\s+/g, ' ');
  return {
    page,
    problems,
    row,
    async rowSays(name, text) {
      let last = '';
      const says = async (): Promise<boolean> => {
        last = await row(name);
        return typeof text === 'string' ? last.includes(text) : text.test(last);
      };
      await eventually(says, { withinMs: 90_000 }).catch(() => {
        throw new Error(`The row of ${name} does not say "${String(text)}", but "${last}"`);
      });
    },
    close: () => context.close(),
  };
}
