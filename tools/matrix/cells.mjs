import { bundled } from './cells/bundled.mjs';
import { sentry } from './cells/sentry.mjs';
import { smoked } from './cells/smoked.mjs';
import { started } from './cells/started.mjs';
import { terminus } from './cells/terminus.mjs';
import { typed } from './cells/typed.mjs';
import { SERVERS, withServers } from './servers.mjs';
import { ROOT } from './places.mjs';
import { run } from './run.mjs';

/**
 * What the matrix runs. Not every combination: one axis at a time against a baseline (Node 24, Nest 12 as ES modules, ioredis 6, Redis
 * 7.0), and pairs that are known to be in use. `run` resolves to the versions that it met.
 */
export const BASELINE = 'Node 24, Nest 12 as ES modules, ioredis 6, three servers of Redis 7.0';

const nest12 = { '@nestjs/common': '^12', '@nestjs/core': '^12', '@nestjs/schedule': '^12', ioredis: '^6' };
const nest11 = { '@nestjs/common': '^11', '@nestjs/core': '^11', '@nestjs/schedule': '^6', ioredis: '~5.11.0' };
const oldest = {
  ...nest11,
  '@nestjs/common': '11.0.0',
  '@nestjs/core': '11.0.0',
  '@nestjs/schedule': '^5',
  ioredis: '5.3.0',
  'reflect-metadata': '^0.1.13',
};

const node = (major) => ({
  axis: 'Node',
  name: `Node ${major}`,
  run: () => smoked({ project: 'nest12', packages: nest12, kind: 'mjs', node: major }),
});

const ioredis = (version) => ({
  axis: 'ioredis',
  name: `ioredis ${version}`,
  run: () =>
    smoked({ project: `ioredis-${version}`, packages: { ...nest12, ioredis: `~${version}.0` }, kind: 'mjs', node: 24 }),
});

const server = (name) => ({
  axis: 'Server',
  name,
  what: 'the contract of a lock node, and two replicas on three servers',
  run: () =>
    withServers(name, 3, async (urls, version) => {
      await run('npm', ['run', '--silent', 'test:servers', '--', ...urls], { cwd: ROOT });
      return [version];
    }),
});

const types = (version, skipLibCheck) => ({
  axis: 'TypeScript',
  name: `TypeScript ${version}, ${skipLibCheck ? 'with' : 'without'} skipLibCheck`,
  run: () => typed(version, skipLibCheck),
});

const bundle = (bundler) => ({ axis: 'Bundler', name: `${bundler}, minified`, run: () => bundled(bundler, nest12) });

/** @type {{ axis: string, name: string, what?: string, run(): Promise<string[]> }[]} */
export const CELLS = [
  { axis: 'Nest', name: 'Nest 12, ES modules, its own Vitest', run: () => started('12') },
  { axis: 'Nest', name: 'Nest 11, CommonJS, its own Jest', run: () => started('11') },
  ...[20, 22, 24, 26].map(node),
  ...['5.3', '5.11', '6.0'].map(ioredis),
  ...Object.keys(SERVERS).map(server),
  ...['5.4', '5.9', '6.0', '7.0'].flatMap((version) => [types(version, true), types(version, false)]),
  ...['webpack', 'esbuild', 'rspack'].map(bundle),
  ...[
    ['11', nest11],
    ['12', nest12],
  ].map(([major, packages]) => ({
    axis: 'Terminus',
    name: `Terminus ${major}, Nest ${major}`,
    run: () => terminus(major, packages),
  })),
  { axis: 'Sentry', name: '@SentryCron, Nest 11', run: () => sentry(nest11) },
  ...[20, 26].map((major) => ({
    axis: 'Pair',
    name: `Nest 11, CommonJS, Node ${major}`,
    run: () => smoked({ project: 'nest11', packages: nest11, kind: 'cjs', node: major }),
  })),
  {
    axis: 'Pair',
    name: 'The oldest of all: Nest 11.0.0, schedule 5, ioredis 5.3.0, Node 20',
    run: () => smoked({ project: 'oldest', packages: oldest, kind: 'cjs', node: 20 }),
  },
];

/** What a cell runs, for those that do not say it themselves. */
export const WHAT = {
  Nest: 'a project of `nest new` with the code of the README: build, test, start',
  Node: 'two replicas on three servers',
  ioredis: 'two replicas on three servers',
  Server: 'the contract of a lock node, and two replicas on three servers',
  TypeScript: 'a program that uses each subpath, under `strict`',
  Bundler: 'two replicas from one file on three servers',
  Terminus: 'its health check, with and without a majority of the servers',
  Sentry: 'the check-ins of one tick on three replicas, below and above `@WithLock`',
  Pair: 'two replicas on three servers',
};
