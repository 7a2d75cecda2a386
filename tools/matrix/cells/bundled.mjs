import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeAt, ROOT, versionsIn, withNode } from '../places.mjs';
import { run } from '../run.mjs';
import { withServers } from '../servers.mjs';
import { writeSmoke } from '../smoke.mjs';
import { library } from './smoked.mjs';

const TOOLS = { webpack: '^5', 'webpack-cli': '^7', esbuild: '^0.28', '@rspack/core': '^2', '@rspack/cli': '^2' };
const COMMANDS = {
  webpack: ['npx', ['webpack', '--config', 'webpack.config.mjs']],
  esbuild: ['node', ['esbuild.mjs']],
  rspack: ['npx', ['rspack', 'build', '--config', 'webpack.config.mjs']],
};

/** The same program as one minified file, in which classes have other names. */
export async function bundled(bundler, packages) {
  const folder = await library('bundles', { ...packages, ...TOOLS });
  for (const name of ['esbuild.mjs', 'webpack.config.mjs']) {
    copyFileSync(join(ROOT, 'tools/matrix/programs', name), join(folder, name));
  }
  writeSmoke(folder, 'mjs');
  const env = { ...withNode(await nodeAt(24)), BUNDLER: bundler };
  await run(...COMMANDS[bundler], { cwd: folder, env });
  return await withServers('Redis 7.0', 3, async (urls) => {
    await run('node', [`out/${bundler}.cjs`, ...urls], { cwd: folder, env, timeoutMs: 10 * 60_000 });
    return versionsIn(folder, bundler === 'rspack' ? '@rspack/core' : bundler);
  });
}
