import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeAt, ROOT, versionsIn, withNode } from '../places.mjs';
import { run } from '../run.mjs';
import { withServers } from '../servers.mjs';
import { library } from './smoked.mjs';

/** The check-ins of @SentryCron, below and above @WithLock. */
export async function sentry(packages) {
  const folder = await library('sentry', { ...packages, '@sentry/nestjs': '^10' }, 'commonjs');
  copyFileSync(join(ROOT, 'tools/matrix/programs/sentry.cjs'), join(folder, 'sentry.cjs'));
  const bin = await nodeAt(24);
  return await withServers('Redis 7.0', 3, async (urls) => {
    await run(join(bin, 'node'), ['sentry.cjs', ...urls], { cwd: folder, env: withNode(bin) });
    return versionsIn(folder, '@nestjs/core', '@sentry/nestjs');
  });
}
