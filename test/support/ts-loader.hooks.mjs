import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import jest from '../../jest.config.mjs';

const ROOT = new URL('../../', import.meta.url);
const SELF = new Map([
  ['redlock-nestjs', new URL('lib/index.ts', ROOT).href],
  ...['testing', 'terminus', 'otel', 'contract', 'lock-store', 'dashboard'].map((name) => [
    `redlock-nestjs/${name}`,
    new URL(`lib/${name}/index.ts`, ROOT).href,
  ]),
]);
const CACHE = new URL('.cache/ts/', ROOT);
const OPTIONS = jest.projects[0].transform['^.+\\.ts$'][1];

const require = createRequire(import.meta.url);
// Whatever changes what comes out: the compiler, its options and, for each file, the source.
const COMPILER = JSON.stringify([require('@swc/core/package.json').version, OPTIONS]);

/** As Jest does it: the package by its own name is its source, and `./x.js` is `./x.ts` where only that exists. */
export async function resolve(specifier, context, nextResolve) {
  const self = SELF.get(specifier);
  if (self !== undefined) return { url: self, format: 'module', shortCircuit: true };
  if (/^\.{1,2}\/.*\.js$/.test(specifier) && context.parentURL?.endsWith('.ts')) {
    const source = new URL(specifier.replace(/\.js$/, '.ts'), context.parentURL);
    if (existsSync(source) && !existsSync(new URL(specifier, context.parentURL))) {
      return { url: source.href, format: 'module', shortCircuit: true };
    }
  }
  return nextResolve(specifier, context);
}

export async function load(url, context, nextLoad) {
  if (!url.startsWith('file:') || !url.endsWith('.ts')) return nextLoad(url, context);
  return { format: 'module', source: transpile(fileURLToPath(url)), shortCircuit: true };
}

/** Ten processes that start at once load forty files each. Only the first of them compiles, and only after a change. */
function transpile(file) {
  const source = readFileSync(file, 'utf8');
  const hash = createHash('sha256').update(`${COMPILER}\n${file}\n${source}`).digest('hex');
  const cached = new URL(`${hash}.js`, CACHE);
  if (existsSync(cached)) return readFileSync(cached, 'utf8');

  const { code } = require('@swc/core').transformSync(source, { ...OPTIONS, filename: file });
  mkdirSync(CACHE, { recursive: true });
  // Renamed into place, so that nobody reads half a file.
  const draft = new URL(`${hash}.${process.pid}`, CACHE);
  writeFileSync(draft, code);
  renameSync(draft, cached);
  return code;
}
