import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import { chromium, type Browser } from 'playwright-core';
import { packageRoot } from './servers/package-root.js';
import { run } from './servers/run.js';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];

const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/**
 * A headless Chromium: `REDLOCK_CHROMIUM`, or one that is on the PATH, or Debian's own, which is unpacked into `.cache` without
 * installing anything (40 s once, nothing later).
 */
export async function launchBrowser(): Promise<Browser> {
  return await chromium.launch({ executablePath: await findChromium(), args: ARGS });
}

async function findChromium(): Promise<string> {
  const { REDLOCK_CHROMIUM: named, REDLOCK_CACHE: cache = '.cache', PATH = '' } = process.env;
  if (named !== undefined) return named;
  for (const name of NAMES) {
    for (const folder of PATH.split(delimiter)) {
      const path = join(folder, name);
      if (folder !== '' && (await isExecutable(path))) return path;
    }
  }
  const folder = resolve(packageRoot(), cache, 'chromium');
  const own = join(folder, 'chromium');
  if (!(await isExecutable(own))) {
    await run('bash', [join(packageRoot(), 'tools', 'fetch-chromium.sh'), folder], 300_000).catch((error: unknown) => {
      throw new Error(
        'The tests of the dashboard need a Chromium, and there is none. Install one (on Debian: apt-get install chromium), or name ' +
          `it with REDLOCK_CHROMIUM=/path/to/chrome. It could not be fetched: ${(error as Error).message}`,
        { cause: error },
      );
    });
  }
  return own;
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
