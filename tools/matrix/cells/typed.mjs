import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeAt, ROOT, versionsIn, withNode } from '../places.mjs';
import { run } from '../run.mjs';
import { library } from './smoked.mjs';

const VERSIONS = { 5.4: '~5.4.0', 5.9: '~5.9.0', '6.0': '~6.0.0', '7.0': '~7.0.0' };

const PACKAGES = {
  ...{ '@nestjs/common': '^12', '@nestjs/core': '^12', '@nestjs/schedule': '^12', '@nestjs/terminus': '^12' },
  ...{ '@opentelemetry/api': '^1.9.0', ioredis: '^6', '@types/node': '^20' },
};

const OPTIONS = {
  ...{ noEmit: true, strict: true, target: 'es2022', module: 'nodenext', types: ['node'] },
  ...{ experimentalDecorators: true, emitDecoratorMetadata: true },
  ...{ exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true },
};

/**
 * Without skipLibCheck the compiler also checks the declarations of all other packages: where it finds something there, the cell
 * passes and says so, if the declarations of this one and the program are right.
 */
export async function typed(version, skipLibCheck) {
  const compilers = Object.entries(VERSIONS).map(([name, range]) => [`typescript-${name}`, `npm:typescript@${range}`]);
  const folder = await library('types', { ...PACKAGES, ...Object.fromEntries(compilers) });
  copyFileSync(join(ROOT, 'tools/matrix/programs/consumer.ts'), join(folder, 'consumer.ts'));
  const config = { compilerOptions: { ...OPTIONS, skipLibCheck }, files: ['consumer.ts'] };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  const args = [`node_modules/typescript-${version}/bin/tsc`, '-p', '.', '--pretty', 'false'];
  const versions = versionsIn(folder, `typescript-${version}`);
  try {
    await run('node', args, { cwd: folder, env: withNode(await nodeAt(24)) });
    return versions;
  } catch (error) {
    const lines = (error.output ?? '').split('\n').filter((line) => line.includes('error TS'));
    const others = lines.map((line) => /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(line)?.[1]);
    if (lines.length === 0 || others.some((name) => name === undefined || name === 'redlock-nestjs')) throw error;
    const found = [...new Set(others)].map((name) => `${others.filter((each) => each === name).length} in ${name}`);
    return [...versions, `errors of other packages: ${found.join(', ')}`];
  }
}
