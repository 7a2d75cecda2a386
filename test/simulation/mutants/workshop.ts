import { cp, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageRoot } from '../../support/servers/package-root.js';
import type { Mutant } from './mutants.js';

/** A copy of the code in which faults are put one at a time. The code itself is never touched. */
export class Workshop {
  readonly root = join(packageRoot(), '.cache', 'mutants', String(process.pid));

  async open(): Promise<void> {
    await rm(this.root, { recursive: true, force: true });
    await mkdir(this.root, { recursive: true });
    for (const folder of ['lib', 'test/simulation', 'test/history', 'test/support']) {
      await cp(join(packageRoot(), folder), join(this.root, folder), { recursive: true });
    }
    await cp(join(packageRoot(), 'package.json'), join(this.root, 'package.json'));
    await symlink(join(packageRoot(), 'node_modules'), join(this.root, 'node_modules'));
  }

  /** Puts the fault in. Returns what takes it out again, or undefined where its text is not there exactly once. */
  async apply({ file, text, becomes }: Mutant): Promise<(() => Promise<void>) | undefined> {
    const path = join(this.root, file);
    const original = await readFile(path, 'utf8');
    const parts = original.split(text);
    if (parts.length !== 2) return undefined;
    await writeFile(path, parts.join(becomes));
    return () => writeFile(path, original);
  }

  async close(): Promise<void> {
    await rm(this.root, { recursive: true, force: true });
  }
}
