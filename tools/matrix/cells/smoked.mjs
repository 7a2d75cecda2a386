import { join } from 'node:path';
import { nodeAt, packed, project, versionsIn, withNode } from '../places.mjs';
import { run } from '../run.mjs';
import { withServers } from '../servers.mjs';
import { writeSmoke } from '../smoke.mjs';

/** A project with these packages and the packed library, and nothing that compiles. */
export async function library(name, packages, type = 'module') {
  const common = { 'reflect-metadata': '^0.2.2', rxjs: '^7.8.1' };
  return await project(name, {
    type,
    dependencies: { ...common, ...packages, 'redlock-nestjs': `file:${await packed()}` },
  });
}

/** Two replicas of an application in one process, on real servers. */
export async function smoked({ project: name, packages, kind, node }) {
  const folder = await library(name, packages, kind === 'cjs' ? 'commonjs' : 'module');
  const bin = await nodeAt(node);
  const program = writeSmoke(folder, kind);
  return await withServers('Redis 7.0', 3, async (urls) => {
    const env = withNode(bin);
    await run(join(bin, 'node'), [program, ...urls], { cwd: folder, env, timeoutMs: 10 * 60_000 });
    const version = await run(join(bin, 'node'), ['--version']);
    return [`Node ${version.trim().slice(1)}`, ...versionsIn(folder, '@nestjs/core', '@nestjs/schedule', 'ioredis')];
  });
}
