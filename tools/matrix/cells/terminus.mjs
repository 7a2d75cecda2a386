import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeAt, ROOT, versionsIn, withNode } from '../places.mjs';
import { run } from '../run.mjs';
import { withServers } from '../servers.mjs';
import { library } from './smoked.mjs';

/** The health check of @nestjs/terminus, with and without a majority of the servers. */
export async function terminus(major, packages) {
  const folder = await library(`terminus-${major}`, { ...packages, '@nestjs/terminus': `^${major}` }, 'commonjs');
  copyFileSync(join(ROOT, 'tools/matrix/programs/terminus.cjs'), join(folder, 'terminus.cjs'));
  const bin = await nodeAt(24);
  return await withServers('Redis 7.0', 3, async (urls) => {
    await run(join(bin, 'node'), ['terminus.cjs', ...urls], { cwd: folder, env: withNode(bin) });
    return versionsIn(folder, '@nestjs/core', '@nestjs/terminus');
  });
}
