import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { packageRoot } from './servers/package-root.js';

/** Folders of this package as plain JavaScript, for a process of its own that runs no Jest. */
export interface Compiled extends AsyncDisposable {
  /** Where `test/support` and the others are, within the package, so that imports from `node_modules` work. */
  readonly folder: string;
  remove(): Promise<void>;
}

/** Compiles `folders` of the package, `test/support` for one. Types are dropped, not checked: a few ms a file. */
export async function compile(...folders: string[]): Promise<Compiled> {
  const { transformFile } = await import('@swc/core');
  const cache = join(packageRoot(), '.cache');
  await mkdir(cache, { recursive: true });
  const target = await mkdtemp(join(cache, 'compiled-'));
  const sources = await Promise.all(
    folders.map(async (folder) => {
      const entries = await readdir(join(packageRoot(), folder), { recursive: true });
      return entries.filter((entry) => entry.endsWith('.ts')).map((entry) => join(folder, entry));
    }),
  );
  await Promise.all(
    sources.flat().map(async (source) => {
      const { code } = await transformFile(join(packageRoot(), source), {
        jsc: {
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
          target: 'es2022',
        },
        module: { type: 'es6' },
      });
      const file = join(target, source.replace(/\.ts$/, '.js'));
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, code);
    }),
  );
  const remove = (): Promise<void> => rm(target, { recursive: true, force: true });
  return { folder: target, remove, [Symbol.asyncDispose]: remove };
}
