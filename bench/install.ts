import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('.', import.meta.url));
/** npm writes it when it has installed everything. */
const DONE = new URL('node_modules/.package-lock.json', import.meta.url);

/** The libraries to compare with, once in a clone. */
export function installPeers(): void {
  if (existsSync(DONE)) return;
  process.stderr.write('Installing the libraries to compare with: npm ci --prefix bench\n');
  const { status } = spawnSync('npm', ['ci', '--silent', '--prefix', FOLDER], { stdio: ['ignore', 2, 2] });
  if (status !== 0) {
    throw new Error('They could not be installed. Without them: npm run bench -- --contestants acquire,withLock');
  }
}
